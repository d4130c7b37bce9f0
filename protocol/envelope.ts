// The envelope of 28/REQREP: what stands before a client's header. A REQ socket puts an empty frame
// there, a DEALER what it likes to find its replies by and then an empty frame, and each proxy on
// the way an address before them. 18/MDP has no empty frame, so there its header ends the envelope.

import { DIALECTS } from "./dialects.ts";
import type { Frame } from "./frame.ts";

/** The envelope, its delimiter with it, and what follows; null if neither of the two ends it. */
export function splitEnvelope(frames: Frame[]): { envelope: Frame[]; message: Frame[] } | null {
  const at = frames.findIndex((frame) => frame.length === 0 || needsNoDelimiter(frame));
  const end = frames[at]?.length === 0 ? at + 1 : at;
  return at < 0 ? null : { envelope: frames.slice(0, end), message: frames.slice(end) };
}

const HEADERS = DIALECTS.filter(({ delimiter }) => delimiter.length === 0).flatMap(
  ({ clientHeader, workerHeader }) => [clientHeader, workerHeader],
);

const needsNoDelimiter = (frame: Frame) => HEADERS.some((header) => frame.equals(header));
