// The envelope of 28/REQREP: the frames before the first empty one. A REQ socket sends none, a
// DEALER what it likes to find its replies by, and each proxy on the way adds an address.

import { EMPTY, type Frame } from "./frame.ts";

/** The envelope and what follows its delimiter, or null if no frame is empty. */
export function splitEnvelope(frames: Frame[]): { envelope: Frame[]; message: Frame[] } | null {
  const delimiter = frames.findIndex((frame) => frame.length === 0);
  if (delimiter < 0) return null;
  return { envelope: frames.slice(0, delimiter), message: frames.slice(delimiter + 1) };
}

/** `[envelope…] [] [message…]` */
export function joinEnvelope(envelope: Frame[], message: Frame[]): Frame[] {
  return [...envelope, EMPTY, ...message];
}
