// The bounds of a reply: the broker disconnects a worker that exceeds them.

import type { Frame } from "../protocol/frame.ts";
import { BODY_FRAMES_MAX, bodyBytesMax } from "../protocol/mdp.ts";

/** The reason why the broker would not accept a body of so many bytes and frames, or null. */
export function whyTooLarge(
  messageBytesMax: number,
  client: Frame,
  size: number,
  frames: number,
): string | null {
  const bytes = client.length + size;
  const bytesMax = bodyBytesMax(messageBytesMax);
  const limit = "the broker accepts at most";
  if (bytes > bytesMax) return `the reply has ${bytes} bytes; ${limit} ${bytesMax}`;
  if (frames <= BODY_FRAMES_MAX) return null;
  return `the reply has ${frames} frames; ${limit} ${BODY_FRAMES_MAX}`;
}
