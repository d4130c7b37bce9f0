// What a broker of ours calls a request, in the client address of the REQUEST to a worker that
// announced a credit: 16 bytes, 8 of the broker's life and 8 of a counter. So no id ever repeats,
// across restarts too, and a request that is delivered again has the same one.

import type { Frame } from "./frame.ts";

const LIFE_BYTES = 8;
const BYTES = 16;
const NTH_BYTES = 6; // Of the eight; more than anybody counts to.
const NTH_AT = BYTES - NTH_BYTES;

/** The id of a life's nth request. */
export function idFrame(life: Frame, nth: number): Frame {
  const frame = Buffer.allocUnsafe(BYTES);
  frame.set(life);
  frame.writeUInt16BE(0, LIFE_BYTES);
  frame.writeUIntBE(nth, NTH_AT, NTH_BYTES);
  return frame;
}

/** Which request of this life the address is the id of; 0 if it is of none. They count from 1. */
export function sequenceOf(life: Frame, address: Frame): number {
  if (address.length !== BYTES) return 0;
  for (let at = 0; at < LIFE_BYTES; at += 1) if (address[at] !== life[at]) return 0;
  return address.readUInt16BE(LIFE_BYTES) === 0 ? address.readUIntBE(NTH_AT, NTH_BYTES) : 0;
}

/**
 * The id in hexadecimal digits, or null if the address is none: the brokers of 7/MDP put the address
 * of the client there, which is the same for all its requests. Ours is told by its length and by the
 * zeros that its counter begins with, where UUIDs and texts of that length have none.
 */
export function requestId(address: Frame): string | null {
  const isId = address.length === BYTES && address.readUInt16BE(LIFE_BYTES) === 0;
  return isId ? address.toString("hex") : null;
}
