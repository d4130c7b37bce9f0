import type { Frame } from "./frame.ts";

/** The text of a frame in UTF-8; null where the bytes are not UTF-8. */
export function decodeText(frame: Frame): string | null {
  const text = frame.toString();
  // toString() puts U+FFFD in the place of wrong bytes, and the frame itself may have that character.
  return text.includes("\ufffd") && !Buffer.from(text).equals(frame) ? null : text;
}

/** The number of bytes of a text in UTF-8; -1 where it has no UTF-8, because of half a surrogate pair. */
export const textBytes = (text: string) => (text.isWellFormed() ? Buffer.byteLength(text) : -1);

/** Reads a number from 0 to `max` in decimal digits, without leading zeros; -1 for any other frame. */
export function decodeDecimal(frame: Frame, max: number): number {
  if (frame.length > String(max).length) return -1;
  const digits = frame.toString("latin1");
  const value = /^(0|[1-9][0-9]*)$/.test(digits) ? Number(digits) : -1;
  return value <= max ? value : -1;
}
