// Frames with memory of their own. A frame from the transport is a view of a larger block of memory,
// and keeps all of that block alive.

import { type Frame, sizeOf } from "./frame.ts";

/** The same frames, copied where they keep more memory alive than their own. */
export function owned(frames: Frame[]): Frame[] {
  const others = frames.filter((frame) => !isOwn(frame));
  const block = Buffer.allocUnsafeSlow(sizeOf(others));
  let at = 0;
  return frames.map((frame) => {
    if (isOwn(frame)) return frame;
    block.set(frame, at);
    at += frame.length;
    return block.subarray(at - frame.length, at);
  });
}

/** Whether a frame is at least half of the memory that it keeps alive. */
export const isOwn = (frame: Frame) =>
  frame.length >= OWN_BYTES_MIN && 2 * frame.length >= frame.buffer.byteLength;

/** A smaller frame is always copied: `frame.buffer` costs more than the copy. */
const OWN_BYTES_MIN = 4096;
