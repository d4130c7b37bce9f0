// The metadata of a REQUEST to a worker that knows `meta`: the bytes of the frame that 7/MDP has empty
// between the client address and the body. The first byte is the version. A broker sends a version only
// to workers that announced it, and `meta` in READY announces version 1:
//
//   byte 0      1
//   byte 1      flags: 1 progress wanted, 2 call id, 4 key name, 8 headers
//   bytes 2-3   the number of this delivery, from 1
//   bytes 4-7   ms until the request expires
//   then, for each flag of 2, 4 and 8 that is set, in this order:
//     call id   [length: 1] [bytes]
//     key name  [length: 1] [bytes]
//     headers   [count: 1], and per header [length: 1] [name] [length: 2] [value]
//
// Numbers are big-endian, text is UTF-8. Receivers ignore other flags and bytes after the last part.

import { CALL_ID_BYTES_MAX, CALL_ID_BYTES_MIN, isCallId, scopedCallId } from "./call-id.ts";
import { areHeaders, type CallHeaders, HEADERS_MAX } from "./call-options.ts";
import { EMPTY, type Frame } from "./frame.ts";
import { requestId } from "./request-id.ts";
import { decodeText, textBytes } from "./text.ts";

export type Metadata = {
  /** The number of this delivery of the request, from 1. */
  delivery: number;
  /** The ms until the request expires, when the broker sends it. */
  msLeft: number;
  /** Whether the caller wants progress (pairs.ts). */
  progress: boolean;
  /** The id that the caller gave its call, 16 to 128 bytes; null for none. */
  callId: string | null;
  /** The name of the caller's key, 1 to 255 bytes without NUL; null without keys. */
  by: string | null;
  /** The headers of the call; null for none. */
  headers: CallHeaders | null;
};

/** The longest metadata that a worker accepts, in bytes. */
export const METADATA_BYTES_MAX = 8192;

/** The longest name of a key, in bytes. */
export const KEY_NAME_BYTES_MAX = 255;

const VERSION = 1;
const FIXED_BYTES = 8;
const PROGRESS = 1;
const CALL_ID = 2;
const BY = 4;
const HEADERS = 8;

/**
 * The frame. Numbers beyond their bytes become the nearest that fits, so an expiry of more than 49
 * days has 49 days. Throws a RangeError for a call id, a key name or headers beyond their bounds.
 */
export function encodeMetadata(metadata: Metadata): Frame {
  const { callId, by, headers } = metadata;
  if (by === null && headers === null && isAsciiId(callId)) return encodeCommon(metadata, callId);
  check(metadata);
  const texts = (callId === null ? 0 : sizeOfText(callId)) + (by === null ? 0 : sizeOfText(by));
  const rest = headers === null ? EMPTY : encodeHeaders(headers);
  const frame = encodeFixed(metadata, texts + rest.length);
  let at = FIXED_BYTES;
  for (const text of [callId, by]) if (text !== null) at = writeText(frame, at, text);
  frame.set(rest, at);
  return frame;
}

/**
 * Encodes the metadata of nearly all requests: without a key name and headers, and with no call id or
 * one of ASCII. Writing the characters here is several times faster than the encoder of Buffer.
 */
function encodeCommon(metadata: Metadata, callId: string | null): Frame {
  const frame = encodeFixed(metadata, callId === null ? 0 : 1 + callId.length);
  if (callId === null) return frame;
  frame[FIXED_BYTES] = callId.length;
  for (let nth = 0; nth < callId.length; nth += 1)
    frame[FIXED_BYTES + 1 + nth] = callId.charCodeAt(nth);
  return frame;
}

/** A frame with the bytes 0 to 7, and room for so many bytes after them. */
function encodeFixed(
  { delivery, msLeft, progress, callId, by, headers }: Metadata,
  restBytes: number,
): Frame {
  const frame = Buffer.allocUnsafe(FIXED_BYTES + restBytes);
  frame[0] = VERSION;
  frame[1] =
    (progress ? PROGRESS : 0) |
    (callId === null ? 0 : CALL_ID) |
    (by === null ? 0 : BY) |
    (headers === null ? 0 : HEADERS);
  frame.writeUInt16BE(within(delivery, 1, 2 ** 16 - 1), 2);
  frame.writeUInt32BE(within(msLeft, 0, 2 ** 32 - 1), 4);
  return frame;
}

/** Whether this is no call id, or a valid one of ASCII. */
function isAsciiId(callId: string | null): boolean {
  if (callId === null) return true;
  if (callId.length < CALL_ID_BYTES_MIN || callId.length > CALL_ID_BYTES_MAX) return false;
  for (let nth = 0; nth < callId.length; nth += 1) if (callId.charCodeAt(nth) > 127) return false;
  return true;
}

/** Decodes the frame; null for any other bytes, and for another version. */
export function decodeMetadata(frame: Frame): Metadata | null {
  const { length } = frame;
  if (length < FIXED_BYTES || length > METADATA_BYTES_MAX || frame[0] !== VERSION) return null;
  const flags = frame.readUInt8(1);
  const delivery = frame.readUInt16BE(2);
  const msLeft = frame.readUInt32BE(4);
  const progress = (flags & PROGRESS) !== 0;
  const rest = new Reader(frame, FIXED_BYTES);
  const callId = flags & CALL_ID ? rest.text(1) : null;
  const by = flags & BY ? rest.text(1) : null;
  const headers = flags & HEADERS ? decodeHeaders(rest) : null;
  const metadata = { delivery, msLeft, progress, callId, by, headers };
  return delivery > 0 && !rest.isMalformed && faultOf(metadata) === null ? metadata : null;
}

/**
 * The id of a request for its handler. With a call id it is the same at every delivery, at every broker
 * and after restarts, in the scope of the caller's key. Without one it is the broker's request id; null
 * if the client address has none.
 */
export function handlerId(metadata: Metadata | undefined, client: Frame): string | null {
  const callId = metadata?.callId ?? null;
  return callId === null ? requestId(client) : scopedCallId(metadata?.by ?? null, callId);
}

function check(metadata: Metadata) {
  const fault = faultOf(metadata);
  if (fault !== null) throw new RangeError(`metadata with a malformed ${fault}`);
}

function faultOf({ callId, by, headers }: Metadata): string | null {
  if (callId !== null && !isCallId(callId)) return "call id";
  if (by !== null && !isKeyName(by)) return "key name";
  return headers !== null && !areHeaders(headers) ? "header" : null;
}

function isKeyName(name: string): boolean {
  const bytes = textBytes(name);
  return bytes >= 1 && bytes <= KEY_NAME_BYTES_MAX && !name.includes("\0");
}

const within = (value: number, min: number, max: number) =>
  Math.min(Math.max(Math.round(value), min), max);

/** The bytes of a text with its length before it. */
const sizeOfText = (text: string) => 1 + Buffer.byteLength(text);

/** Writes a text with its length before it. Returns the place after it. */
function writeText(frame: Frame, at: number, text: string): number {
  const bytes = frame.write(text, at + 1);
  frame[at] = bytes;
  return at + 1 + bytes;
}

function encodeHeaders(headers: CallHeaders): Frame {
  const entries = Object.entries(headers);
  const frames = entries.flatMap(([name, value]) => {
    const text = Buffer.from(value);
    const start = Buffer.alloc(sizeOfText(name) + 2);
    start.writeUInt16BE(text.length, writeText(start, 0, name));
    return [start, text];
  });
  return Buffer.concat([Buffer.of(entries.length), ...frames]);
}

/** Of a name that repeats, the last value counts. */
function decodeHeaders(rest: Reader): CallHeaders | null {
  const count = rest.number(1);
  if (count > HEADERS_MAX) return rest.fail();
  const entries: [string, string][] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const name = rest.text(1);
    const value = rest.text(2);
    if (name === null || value === null) return null;
    entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

/** Reads a frame from front to back. Beyond its end there are zeros, and the reader remembers that. */
class Reader {
  isMalformed = false;
  #frame: Frame;
  #at: number;

  constructor(frame: Frame, at: number) {
    this.#frame = frame;
    this.#at = at;
  }

  number(bytes: 1 | 2): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at <= this.#frame.length) return this.#frame.readUIntBE(at, bytes);
    this.isMalformed = true;
    return 0;
  }

  /** A text after its length, which has so many bytes; null if it is not all there or not UTF-8. */
  text(lengthBytes: 1 | 2): string | null {
    const length = this.number(lengthBytes);
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#frame.length) return this.fail();
    return decodeText(this.#frame.subarray(start, this.#at)) ?? this.fail();
  }

  fail(): null {
    this.isMalformed = true;
    return null;
  }
}
