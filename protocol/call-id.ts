// The id that a caller gives its call, so that the broker and the workers know a retry of the call.

import { textBytes } from "./text.ts";

/**
 * Bounds of a call id, in bytes. An id must be random: any client that knows it can fetch the outcome
 * of the call.
 */
export const CALL_ID_BYTES_MIN = 16;
export const CALL_ID_BYTES_MAX = 128;

/** Whether this is a call id: 16 to 128 bytes of UTF-8. */
export function isCallId(id: unknown): id is string {
  if (typeof id !== "string") return false;
  const bytes = textBytes(id);
  return bytes >= CALL_ID_BYTES_MIN && bytes <= CALL_ID_BYTES_MAX;
}

/**
 * The name of a call in tables and for handlers: the call id within the scope of the caller's key.
 * `by` is the name of that key, which has no NUL; null without keys.
 */
export const scopedCallId = (by: string | null, id: string) => (by === null ? id : `${by}\0${id}`);
