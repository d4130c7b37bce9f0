// The pairs of a HEARTBEAT: names and values, between a worker and a broker that both know them. They
// carry news about requests in flight and about the load, and a HEARTBEAT with pairs is a sign of life
// as any other. 7/MDP has no frames after the command.
//
//   HEARTBEAT [name] [value] [name] [value]…
//
// Names may repeat, and their order counts. A receiver ignores the names that it does not know, so that
// either side may be newer. A request has the address that stands in its REQUEST: 16 bytes.

import type { Frame } from "./frame.ts";
import { INCARNATION_BYTES, REQUEST_ID_BYTES } from "./request-id.ts";
import { decodeDecimal } from "./text.ts";

/** The names whose value is a list of requests: the address of each, 16 bytes, one after another. */
export type AddressesName = "cancel" | "pause" | "resume" | "recall" | "waiting" | "returned";

/** One name and its value, decoded. */
export type Pair =
  /** From the broker, in its first HEARTBEAT: which start of which broker it is. 8 bytes. */
  | { name: "incarnation"; incarnation: Frame }
  /**
   * From the broker: `cancel` nobody waits for these, so end them and REPLY; `pause` and `resume` their
   * clients read slowly, or keep up again; `recall` give these back unless they have begun.
   * From the worker: `waiting` these have not begun; `returned` it gives these back.
   */
  | { name: AddressesName; addresses: Frame[] }
  /** From the worker: the progress of one request. The value is the handler's, and may be empty. */
  | { name: "progress"; address: Frame; value: Frame }
  /** From the worker: how many requests of this broker may be in flight there, 0 to `LIMIT_MAX`. */
  | { name: "limit"; limit: number };

/** Bounds of one HEARTBEAT: the number of its pairs, and the bytes of all names and values. */
export const PAIRS_MAX = 64;
export const PAIRS_BYTES_MAX = 65_536;

/** The most bytes of the value of `progress`, its address included. */
export const PROGRESS_BYTES_MAX = 4096;

/** The largest value of `limit`. */
export const LIMIT_MAX = 65_535;

/** The frames of these pairs. Throws a RangeError beyond a bound: see batchPairs(). */
export function encodePairs(pairs: Pair[]): Frame[] {
  const frames = pairs.flatMap((pair) => [Buffer.from(pair.name), encodeValue(pair)]);
  const decoded = decodePairs(frames);
  if ("reason" in decoded) throw new RangeError(`HEARTBEAT: ${decoded.reason}`);
  return frames;
}

/** Decodes the frames after the command. Returns the reason where they are not pairs. */
export function decodePairs(frames: Frame[]): Pair[] | { reason: string } {
  if (frames.length % 2 !== 0) return { reason: "a name without a value" };
  if (frames.length > 2 * PAIRS_MAX) return { reason: `more than ${PAIRS_MAX} pairs` };
  const pairs: Pair[] = [];
  let bytes = 0;
  for (let at = 0; at < frames.length; at += 2) {
    const name = frames[at] as Frame;
    const value = frames[at + 1] as Frame;
    bytes += name.length + value.length;
    if (bytes > PAIRS_BYTES_MAX) return { reason: `pairs of more than ${PAIRS_BYTES_MAX} bytes` };
    const text = name.toString("latin1");
    const decode = DECODERS.get(text);
    const pair = decode?.(value);
    if (pair === null) return { reason: `a malformed value of ${text}` };
    if (pair) pairs.push(pair);
  }
  return pairs;
}

/**
 * Splits pairs into the pairs of as many HEARTBEATs as they need, in order; none for no pairs. A long
 * list of addresses becomes several pairs of its name.
 */
export function batchPairs(pairs: Pair[]): Pair[][] {
  const batches: Pair[][] = [];
  let batch: Pair[] = [];
  let bytes = 0;
  for (const pair of pairs.flatMap(splitAddresses)) {
    const size = sizeOfPair(pair);
    if (batch.length === 0 || batch.length === PAIRS_MAX || bytes + size > PAIRS_BYTES_MAX) {
      batch = [];
      batches.push(batch);
      bytes = 0;
    }
    batch.push(pair);
    bytes += size;
  }
  return batches;
}

/** The most addresses of one pair that batchPairs() makes: a quarter of a HEARTBEAT. */
const BATCH_ADDRESSES = PAIRS_BYTES_MAX / REQUEST_ID_BYTES / 4;

function splitAddresses(pair: Pair): Pair[] {
  if (!("addresses" in pair) || pair.addresses.length <= BATCH_ADDRESSES) return [pair];
  const { name, addresses } = pair;
  const parts: Pair[] = [];
  for (let at = 0; at < addresses.length; at += BATCH_ADDRESSES)
    parts.push({ name, addresses: addresses.slice(at, at + BATCH_ADDRESSES) });
  return parts;
}

function sizeOfPair(pair: Pair): number {
  const { name } = pair;
  if ("addresses" in pair) return name.length + pair.addresses.length * REQUEST_ID_BYTES;
  return name.length + encodeValue(pair).length;
}

function encodeValue(pair: Pair): Frame {
  switch (pair.name) {
    case "incarnation":
      return pair.incarnation;
    case "progress":
      return Buffer.concat([pair.address, pair.value]);
    case "limit":
      return Buffer.from(String(pair.limit));
    default:
      return Buffer.concat(pair.addresses);
  }
}

function decodeAddresses(name: AddressesName, value: Frame): Pair | null {
  if (value.length % REQUEST_ID_BYTES !== 0) return null;
  const addresses: Frame[] = [];
  for (let at = 0; at < value.length; at += REQUEST_ID_BYTES)
    addresses.push(value.subarray(at, at + REQUEST_ID_BYTES));
  return { name, addresses };
}

function decodeProgress(value: Frame): Pair | null {
  if (value.length < REQUEST_ID_BYTES || value.length > PROGRESS_BYTES_MAX) return null;
  const address = value.subarray(0, REQUEST_ID_BYTES);
  return { name: "progress", address, value: value.subarray(REQUEST_ID_BYTES) };
}

function decodeLimit(value: Frame): Pair | null {
  const limit = decodeDecimal(value, LIMIT_MAX);
  return limit < 0 ? null : { name: "limit", limit };
}

const ADDRESSES_NAMES: AddressesName[] = [
  "cancel",
  "pause",
  "resume",
  "recall",
  "waiting",
  "returned",
];

/** By name: the pair with this value, or null for a malformed value. */
const DECODERS = new Map<string, (value: Frame) => Pair | null>([
  [
    "incarnation",
    (value) =>
      value.length === INCARNATION_BYTES ? { name: "incarnation", incarnation: value } : null,
  ],
  ["progress", decodeProgress],
  ["limit", decodeLimit],
  ...ADDRESSES_NAMES.map((name) => [name, decodeAddresses.bind(null, name)] as const),
]);

/** The incarnation of the broker in hexadecimal digits; null if the pairs have none. */
export function incarnationIn(pairs: Pair[]): string | null {
  for (const pair of pairs)
    if (pair.name === "incarnation") return pair.incarnation.toString("hex");
  return null;
}
