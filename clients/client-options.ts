// Validates the parameters of the client: its options, those of a request, and bodies. Each error
// names the parameter and its value.

import { CALL_ID_BYTES_MAX, CALL_ID_BYTES_MIN } from "../protocol/call-id.ts";
import { type Frame, toFrame } from "../protocol/frame.ts";
import { encodeJson } from "../protocol/json.ts";
import { MESSAGE_BYTES_MAX } from "../protocol/mdp.ts";
import { checkSignal, checkWhole, invalid, isNumberFrom } from "../runtime/invalid-option.ts";
import { MESSAGE_BYTES } from "../runtime/ranges.ts";
import { isBrokerEndpoint } from "../transport/endpoint.ts";
import type { Transport, Unreachable } from "../transport/transport.ts";
import * as zmtp from "../transport/zmtp/sockets.ts";

export type ClientOptions = {
  /**
   * How long the broker may be silent while requests are outstanding, in ms: 1 to 86,400,000; 2,500
   * by default. Then the client reconnects and sends the requests again.
   */
  silenceMs?: number | undefined;
  /**
   * The number of silences after which a request rejects with NoBroker: a whole number from 1, or
   * Infinity; 3 by default.
   */
  tries?: number | undefined;
  /**
   * The largest request that the broker accepts, in bytes: 1,024 to 2,147,483,647; 16 MiB by default.
   * Must match the broker's MDP_MESSAGE_BYTES_MAX. A larger request rejects with a RangeError.
   */
  messageBytesMax?: number | undefined;
  /**
   * Receives failed attempts to connect: the first one since the last connection, each change of the
   * code, and then one per 10 s. The client tries again by itself. By default nothing is reported.
   */
  onUnreachable?: ((failure: Unreachable) => void) | undefined;
  /** The transport, from loadTransport(); ZMTP in TypeScript by default. */
  transport?: Transport | undefined;
};

export type RequestOptions = {
  /**
   * How long to wait for the reply, in ms, over all tries; above 0; 30,000 by default. The broker
   * expires the request at the same time. Its status may arrive up to 250 ms later.
   */
  timeoutMs?: number | undefined;
  /**
   * Cancels the request and rejects with the signal's reason. A broker with `mmi.cancel` forgets the
   * request, and the signal of its handler aborts. Other brokers may still execute it.
   */
  signal?: AbortSignal | undefined;
  /**
   * The call id: 16 to 128 bytes (UTF-8) that nobody can guess; a random UUID by default. The
   * broker executes a call once per id, as long as it remembers the id, and sends the reply to the
   * last client that used it. Another length rejects with a RangeError.
   */
  id?: string | undefined;
};

/**
 * A request body: one frame or several. Strings are encoded as UTF-8. The client copies the bytes, so
 * that the caller may change them as soon as the call has returned.
 */
export type Body = string | Uint8Array | (string | Uint8Array)[];

/** The options of a client, validated, with defaults. */
export type ClientSettings = {
  silenceMs: number;
  tries: number;
  messageBytesMax: number;
  onUnreachable: (failure: Unreachable) => void;
  transport: Transport;
};

/**
 * Returns the options with defaults. Throws a RangeError that names the first invalid parameter and
 * its value.
 */
export function clientSettings(broker: string, options: ClientOptions): ClientSettings {
  if (typeof broker !== "string" || !isBrokerEndpoint(broker))
    throw invalid("broker", broker, "an endpoint such as tcp://localhost:5555");
  const { silenceMs = 2500, tries = 3, messageBytesMax = MESSAGE_BYTES_MAX } = options;
  const { transport = zmtp, onUnreachable = () => {} } = options;
  if (!isNumberFrom(silenceMs, 1, SILENCE_MS_MAX))
    throw invalid("silenceMs", silenceMs, `a number of ms from 1 to ${SILENCE_MS_MAX}`);
  if (tries !== Infinity && !(Number.isInteger(tries) && tries >= 1))
    throw invalid("tries", tries, "a whole number from 1, or Infinity");
  checkWhole("messageBytesMax", messageBytesMax, MESSAGE_BYTES);
  if (typeof onUnreachable !== "function")
    throw invalid("onUnreachable", onUnreachable, "a function");
  if (typeof transport?.connect !== "function")
    throw invalid("transport", transport, "a transport: pass `await loadTransport(name)`");
  return { silenceMs, tries, messageBytesMax, onUnreachable, transport };
}

/** One day. The timers of the transports accept four times this value. */
const SILENCE_MS_MAX = 86_400_000;

/** Throws a RangeError that names the first invalid option and its value. */
export function checkRequestOptions({ timeoutMs, signal, id }: RequestOptions) {
  if (timeoutMs !== undefined && !isNumberFrom(timeoutMs, Number.MIN_VALUE, Infinity))
    throw invalid("timeoutMs", timeoutMs, "a number of ms above 0");
  checkSignal(signal);
  if (id !== undefined) checkId(id);
}

function checkId(id: string) {
  if (typeof id !== "string") throw invalid("id", id, "a string");
  const size = Buffer.byteLength(id);
  if (size >= CALL_ID_BYTES_MIN && size <= CALL_ID_BYTES_MAX) return;
  throw new RangeError(
    `the id has ${size} bytes; it must have ${CALL_ID_BYTES_MIN} to ${CALL_ID_BYTES_MAX}`,
  );
}

/** Throws a RangeError for a service that is not a string. */
export function checkService(service: string) {
  if (typeof service !== "string") throw invalid("service", service, "a string");
}

/** Copies a body into frames. Throws a RangeError that names the first value that is no frame. */
export function framesOf(body: Body): Frame[] {
  if (!Array.isArray(body)) return [frameOf(body, null)];
  const frames: Frame[] = [];
  for (let at = 0; at < body.length; at += 1) frames.push(frameOf(body[at], at));
  return frames;
}

function frameOf(value: unknown, at: number | null): Frame {
  if (typeof value === "string") return toFrame(value);
  if (ArrayBuffer.isView(value)) return toFrame(value);
  const name = at === null ? "body" : `body[${at}]`;
  throw invalid(name, value, `a string or a Uint8Array${adviceFor(value)}`);
}

function adviceFor(value: unknown): string {
  if (value instanceof ArrayBuffer) return ": pass `new Uint8Array(value)`";
  if (typeof value === "object" && value !== null) return ": pass `JSON.stringify(value)`";
  return typeof value === "number" ? ": pass `String(value)`" : "";
}

/** The JSON text of a value. Throws a RangeError for a value without JSON. */
export function jsonOf(value: unknown): string {
  try {
    return encodeJson(value);
  } catch (error) {
    throw new RangeError(`value has no JSON: ${(error as Error).message}`, { cause: error });
  }
}
