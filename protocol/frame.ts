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
export const sizeOf = (frames: Frame[]) => frames.reduce((size, frame) => size + frame.length, 0);
