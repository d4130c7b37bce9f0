// The parts of a reply that the broker keeps: for a client of 0.1, which gets the whole reply at once,
// and for a retry of a call. requests.ts changes them, and replies.ts has their bounds.

import type { Frame } from "../protocol/frame.ts";

/** The parts of a reply that the broker keeps, as one body. Changed by requests.ts. */
export type Parts = {
  frames: Frame[];
  /** The weight of the frames, in bytes. */
  weight: number;
  /** False once a part did not fit: then the frames are gone, and no more are kept. */
  isWhole: boolean;
};

/** The `parts` of every request without any. */
export const NO_PARTS: Readonly<Parts> = { frames: [], weight: 0, isWhole: true };

/** The `parts` of every request whose parts did not fit. */
export const PARTS_DROPPED: Readonly<Parts> = { frames: [], weight: 0, isWhole: false };
