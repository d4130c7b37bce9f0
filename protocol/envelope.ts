// The envelope of 28/REQREP: the frames before the header of a client's message. A REQ socket sends an
// empty frame there. A DEALER may send frames that correlate its replies, and then an empty frame.
// Each proxy prepends an address. 18/MDP has no empty frame: its header ends the envelope.

import { DIALECTS } from "./dialects.ts";
import { type Frame, isSame } from "./frame.ts";

/** The number of frames of the envelope, its delimiter included; -1 if nothing ends it. */
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
