// A value as JSON in the one frame of a request or of a reply.

import type { Frame } from "./frame.ts";
import { decodeText } from "./text.ts";

/**
 * The JSON text of a value; `null` for undefined. Throws a TypeError for a value without JSON: a
 * function, a bigint, an object in a cycle.
 */
export function encodeJson(value: unknown): string {
  if (value === undefined) return "null";
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON`);
  return text;
}

/** The value in a body, or the reason why the body has none, as a part of a sentence. */
export function decodeJson(body: Frame[]): { value: unknown } | { problem: string } {
  const [frame] = body;
  if (!frame || body.length > 1)
    return { problem: `not JSON: it has ${body.length} frames, not 1` };
  const text = decodeText(frame);
  if (text === null) return { problem: "not JSON: its bytes are not UTF-8" };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `not JSON: ${(error as Error).message}` };
  }
}
