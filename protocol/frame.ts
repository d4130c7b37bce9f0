/** A part of a ZeroMQ message. */
export type Frame = Buffer;

/** What the transport knows a peer by while its connection lasts, a character a byte. */
export type Address = string;

export const EMPTY: Frame = Buffer.alloc(0);

/** The same bytes as a frame; a string as UTF-8. */
export function toFrame(value: string | Uint8Array): Frame {
  if (typeof value === "string") return Buffer.from(value);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** How many bytes these frames have together. */
export function sizeOf(frames: Frame[]): number {
  let size = 0;
  for (const { length } of frames) size += length;
  return size;
}

/** Whether these have the same bytes. For a few of them that is sooner seen than `equals` is called. */
export function isSame(one: Frame, other: Frame): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}
