// The request id: 16 bytes, of them 8 of the broker's incarnation and 8 of a sequence number. It is in
// the client-address frame of the REQUEST to a worker with credit. No id repeats, also across restarts,
// and a request has the same id at each delivery.

import type { Frame } from "./frame.ts";

/** The bytes of the incarnation of a broker. */
export const INCARNATION_BYTES = 8;

/** The bytes of a request id. */
export const REQUEST_ID_BYTES = 16;

const SEQUENCE_BYTES = 6; // The first two of the eight are zero: requestId() checks them.
const SEQUENCE_AT = REQUEST_ID_BYTES - SEQUENCE_BYTES;

/** The id of an incarnation's request with this sequence number, which counts from 1. */
export function idFrame(incarnation: Frame, sequence: number): Frame {
  const frame = Buffer.allocUnsafe(REQUEST_ID_BYTES);
  frame.set(incarnation);
  frame.writeUInt16BE(0, INCARNATION_BYTES);
  frame.writeUIntBE(sequence, SEQUENCE_AT, SEQUENCE_BYTES);
  return frame;
}

/** The sequence number in this client address; 0 if it is not an id of this incarnation. */
export function sequenceOf(incarnation: Frame, address: Frame): number {
  if (address.length !== REQUEST_ID_BYTES) return 0;
  for (let at = 0; at < INCARNATION_BYTES; at += 1) if (address[at] !== incarnation[at]) return 0;
  if (address.readUInt16BE(INCARNATION_BYTES) !== 0) return 0;
  return address.readUIntBE(SEQUENCE_AT, SEQUENCE_BYTES);
}

/**
 * The id in hexadecimal digits; null if the client address is not an id. Other brokers put the address
 * of the client there, which is the same for all its requests. An id has 16 bytes and two zeros in the
 * middle; UUIDs and text of that length do not.
 */
export function requestId(address: Frame): string | null {
  const isId = address.length === REQUEST_ID_BYTES && address.readUInt16BE(INCARNATION_BYTES) === 0;
  return isId ? address.toString("hex") : null;
}
