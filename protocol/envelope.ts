// The envelope of 28/REQREP: what stands before a client's header. A REQ socket puts an empty frame
// there, a DEALER what it likes to find its replies by and then an empty frame, and each proxy on
// the way an address before them. 18/MDP has no empty frame, so there its header ends the envelope.

import { DIALECTS } from "./dialects.ts";
import { type Frame, isSame } from "./frame.ts";

/** How many frames the envelope has, its delimiter with it; -1 if neither of the two ends it. */
export function envelopeLength(frames: Frame[]): number {
  let at = 0;
  for (const frame of frames) {
    if (needsNoDelimiter(frame)) return at;
    at += 1;
    if (frame.length === 0) return at;
  }
  return -1;
}

const HEADERS = DIALECTS.filter(({ delimiter }) => delimiter.length === 0).flatMap(
  ({ clientHeader, workerHeader }) => [clientHeader, workerHeader],
);

const needsNoDelimiter = (frame: Frame) => HEADERS.some((header) => isSame(frame, header));
