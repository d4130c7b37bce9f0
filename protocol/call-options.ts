// The options of a call: the second frame of a request to mmi.call. The frame is empty, or has a JSON
// object. A client may use an option only if the broker has its capability (capabilities.ts).

import { CALL_ID_BYTES_MAX, CALL_ID_BYTES_MIN, isCallId } from "./call-id.ts";
import { EMPTY, type Frame } from "./frame.ts";
import { decodeText, textBytes } from "./text.ts";

/** Names and values that a caller sends along with a call, for the handler. */
export type CallHeaders = Readonly<Record<string, string>>;

export type CallOptions = {
  /** How long the call may stay open, in ms: 1 to `TTL_MS_MAX`. */
  ttl?: number | undefined;
  /** The call id: the broker does not run a second call with the id of a first one. */
  id?: string | undefined;
  /**
   * How long the call may wait until the service has a worker at this broker, in ms: 0 to
   * `TTL_MS_MAX`. After that the broker rejects the call with 404. The default is the ttl.
   */
  wait?: number | undefined;
  /** The caller accepts replies with the status 102, which carry the progress of the handler. */
  progress?: true | undefined;
  /**
   * How long a call with an id stays open without its caller's connection, in ms: 0 to `TTL_MS_MAX`.
   * The default is the ttl.
   */
  linger?: number | undefined;
  /** At most `HEADERS_MAX` names of 1 to 255 bytes, and `HEADERS_BYTES_MAX` with the values. */
  headers?: CallHeaders | undefined;
};

/** The longest ttl of a call, in ms: one day. */
export const TTL_MS_MAX = 86_400_000;

/** Bounds of the headers: their number, the bytes of a name, and all names and values in bytes. */
export const HEADERS_MAX = 32;
export const HEADER_NAME_BYTES_MAX = 255;
export const HEADERS_BYTES_MAX = 4096;

/** Bounds of the frame, in bytes. JSON takes up to six bytes for one byte of a header. */
export const OPTIONS_BYTES_MAX = 1024;
export const OPTIONS_WITH_HEADERS_BYTES_MAX = 32_768;

/** The frame; empty for no options. A broker decodes `ttl` and `id`, in this order, the fastest. */
export function encodeOptions(options: CallOptions): Frame {
  const text = JSON.stringify(options);
  return text === "{}" ? EMPTY : Buffer.from(text);
}

/**
 * Decodes the frame. Where it has no valid options, returns the reason, one of few sentences. `detail`
 * names each option that is unknown or malformed.
 */
export function decodeOptions(
  frame: Frame,
): { options: CallOptions } | { reason: string; detail?: string } {
  if (frame.length === 0) return { options: {} };
  if (frame.length > OPTIONS_WITH_HEADERS_BYTES_MAX) return tooLong(OPTIONS_WITH_HEADERS_BYTES_MAX);
  const common = decodeCommon(frame);
  if (common) return { options: common };
  const text = decodeText(frame);
  if (text === null) return { reason: "the options are not UTF-8" };
  const options = parseJson(text);
  if (frame.length > OPTIONS_BYTES_MAX && !hasHeaders(options)) return tooLong(OPTIONS_BYTES_MAX);
  if (!isObject(options)) return { reason: NOT_AN_OBJECT };
  const detail = faultOfOptions(options);
  return detail === null ? { options } : { reason: "malformed or unknown options", detail };
}

/** Why a broker would reject these options, in one sentence; null for valid ones. */
export function faultOfOptions(options: unknown): string | null {
  if (!isObject(options)) return NOT_AN_OBJECT;
  const faults: string[] = [];
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    const rule = RULES.get(name);
    if (!rule) unknown.push(name);
    else if (value !== undefined && !rule.accepts(value))
      faults.push(`${name} is not ${rule.shape}`);
  }
  if (unknown.length > 0)
    faults.push(`there is no option ${unknown.join(", ").slice(0, UNKNOWN_SHOWN_MAX)}`);
  return faults.length > 0 ? faults.join("; ") : null;
}

const NOT_AN_OBJECT = "the options are not a JSON object";

/**
 * Decodes the options of nearly all calls, as encodeOptions() writes them: `{"ttl":5000,"id":"…"}` or
 * one of the two. Reading the bytes is faster than a JSON parser. Null for any other frame, also for an
 * id that JSON may write in another way: the parser decides.
 */
function decodeCommon(frame: Frame): CallOptions | null {
  if (hasAt(frame, 0, ID_ALONE)) {
    const id = idAt(frame, ID_ALONE.length);
    return id === null ? null : { id };
  }
  if (!hasAt(frame, 0, TTL) || frame[TTL.length] === ZERO) return null;
  let ttl = 0;
  let at = TTL.length;
  for (; isDigit(frame[at]) && ttl <= TTL_MS_MAX; at += 1)
    ttl = 10 * ttl + Number(frame[at]) - ZERO;
  if (ttl < 1 || ttl > TTL_MS_MAX) return null;
  if (frame[at] === BRACE && frame.length === at + 1) return { ttl };
  const id = hasAt(frame, at, ID_AFTER_TTL) ? idAt(frame, at + ID_AFTER_TTL.length) : null;
  return id === null ? null : { ttl, id };
}

const TTL = Buffer.from('{"ttl":');
const ID_ALONE = Buffer.from('{"id":"');
const ID_AFTER_TTL = Buffer.from(',"id":"');
const [ZERO = 0, NINE = 0, SPACE = 0, TILDE = 0, QUOTE = 0, BACKSLASH = 0, BRACE = 0] =
  Buffer.from('09 ~"\\}');

const isDigit = (byte = 0) => byte >= ZERO && byte <= NINE;

function hasAt(frame: Frame, at: number, part: Frame): boolean {
  for (let nth = 0; nth < part.length; nth += 1) if (frame[at + nth] !== part[nth]) return false;
  return true;
}

/** The id from here to the end of the object, if it is printable ASCII that JSON does not escape. */
function idAt(frame: Frame, start: number): string | null {
  const end = frame.length - 2;
  if (frame[end] !== QUOTE || frame[end + 1] !== BRACE) return null;
  if (end - start < CALL_ID_BYTES_MIN || end - start > CALL_ID_BYTES_MAX) return null;
  for (let at = start; at < end; at += 1) {
    const byte = frame[at] ?? 0;
    if (byte < SPACE || byte > TILDE || byte === QUOTE || byte === BACKSLASH) return null;
  }
  return frame.toString("latin1", start, end);
}

/** The names of unknown options in a reason have at most so many characters. */
const UNKNOWN_SHOWN_MAX = 100;

type Rule = { accepts: (value: unknown) => boolean; shape: string };

const ms = (min: number): Rule => ({
  accepts: (value) =>
    Number.isInteger(value) && min <= Number(value) && Number(value) <= TTL_MS_MAX,
  shape: `a whole number of ms from ${min} to ${TTL_MS_MAX}`,
});

const RULES = new Map<string, Rule>([
  ["ttl", ms(1)],
  [
    "id",
    { accepts: isCallId, shape: `a string of ${CALL_ID_BYTES_MIN} to ${CALL_ID_BYTES_MAX} bytes` },
  ],
  ["wait", ms(0)],
  ["progress", { accepts: (value) => value === true, shape: "true" }],
  ["linger", ms(0)],
  [
    "headers",
    {
      accepts: areHeaders,
      shape: `an object of at most ${HEADERS_MAX} strings and ${HEADERS_BYTES_MAX} bytes`,
    },
  ],
] satisfies [keyof CallOptions, Rule][]);

/** Whether these are headers within their bounds. */
export function areHeaders(value: unknown): value is CallHeaders {
  if (!isObject(value)) return false;
  const entries = Object.entries(value);
  let bytes = 0;
  for (const [name, text] of entries) {
    const nameBytes = textBytes(name);
    const valueBytes = typeof text === "string" ? textBytes(text) : -1;
    if (nameBytes < 1 || nameBytes > HEADER_NAME_BYTES_MAX || valueBytes < 0) return false;
    bytes += nameBytes + valueBytes;
  }
  return entries.length <= HEADERS_MAX && bytes <= HEADERS_BYTES_MAX;
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const hasHeaders = (options: unknown) => isObject(options) && Object.hasOwn(options, "headers");

const tooLong = (bytes: number) => ({ reason: `the options have more than ${bytes} bytes` });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
