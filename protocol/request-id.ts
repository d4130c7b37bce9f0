// What a broker of ours calls a request, in the client address of the REQUEST to a worker that
// announced a credit: 16 bytes, 8 of the broker's life and 8 of a counter. So no id ever repeats,
// across restarts too, and a request that is delivered again has the same one.

import type { Frame } from "./frame.ts";

const LIFE_BYTES = 8;
const BYTES = 16;

/** The id of a life's nth request. */
export function idFrame(life: Frame, nth: number): Frame {
  const frame = Buffer.alloc(BYTES);
  life.copy(frame);
  frame.writeBigUInt64BE(BigInt(nth), LIFE_BYTES);
  return frame;
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
