// The frames of READY after the name of the service. 7/MDP has none there. The credit is the number of
// requests that the worker accepts at once; a broker that ignores it delivers one at a time. A broker that
// has `mmi.ready` also takes frames of `key=value`. It ignores the keys and the words that it does not
// know, so that either side may be newer.
//
//   READY [service] [credit] [name=…] [knows=meta,cancel]

import type { Frame } from "./frame.ts";
import { decodeDecimal, decodeText } from "./text.ts";

/** The largest credit: the requests in flight at one worker. */
export const CREDIT_MAX = 65_535;

/** The features of a worker that a broker may use only if the worker has them. */
export const FEATURES = ["meta", "cancel", "progress", "pause", "shares"] as const;

/**
 * - `meta`: it accepts a REQUEST with metadata (metadata.ts).
 * - `cancel`, `pause`: it acts on `cancel`; on `pause` and `resume` (pairs.ts).
 * - `progress`: it sends `progress`.
 * - `shares`: it shares its slots among several brokers, with `limit`, `waiting` and `recall`.
 */
export type Feature = (typeof FEATURES)[number];

/** Information about a worker that 7/MDP has no frames for. */
export type About = {
  /** The name in logs and in `mmi.workers`: at most `WORKER_NAME_BYTES_MAX` bytes; null for none. */
  name: string | null;
  knows: ReadonlySet<Feature>;
};

/** Bounds of these frames: their number, and the bytes of each. */
export const ABOUT_FRAMES_MAX = 16;
export const ABOUT_FRAME_BYTES_MAX = 255;

const NAME = "name=";
const KNOWS = "knows=";

/** The longest name of a worker, in bytes. */
export const WORKER_NAME_BYTES_MAX = ABOUT_FRAME_BYTES_MAX - NAME.length;

/**
 * The frames after the service: none without a credit. Throws a RangeError for a name that is too long.
 */
export function encodeCredit(credit: number | null, about?: About): Frame[] {
  if (credit === null) return [];
  return [Buffer.from(String(credit)), ...(about ? encodeAbout(about) : [])];
}

/** Decodes these frames. Without `extended` only a credit is valid. Of a key, the last value counts. */
export function decodeCredit(
  [creditFrame, ...more]: Frame[],
  extended: boolean,
): { credit: number | null; about?: About } | { reason: string } {
  if (more.length > 0 && !extended) return { reason: "frames after the credit" };
  if (!creditFrame) return { credit: null };
  const credit = decodeDecimal(creditFrame, CREDIT_MAX);
  if (credit < 1) return { reason: `the credit is not a number from 1 to ${CREDIT_MAX}` };
  if (more.length === 0) return { credit };
  const about = decodeAbout(more);
  return "reason" in about ? about : { credit, about };
}

/** At least one frame, so that a worker without a name and features is not one of 0.1.0. */
function encodeAbout({ name, knows }: About): Frame[] {
  const frames = [Buffer.from(KNOWS + FEATURES.filter((word) => knows.has(word)).join(","))];
  if (name) frames.unshift(Buffer.from(NAME + name));
  if (frames.every(({ length }) => length <= ABOUT_FRAME_BYTES_MAX)) return frames;
  throw new RangeError(`the name of a worker has at most ${WORKER_NAME_BYTES_MAX} bytes`);
}

function decodeAbout(frames: Frame[]): About | { reason: string } {
  if (frames.length > ABOUT_FRAMES_MAX)
    return { reason: `more than ${ABOUT_FRAMES_MAX} frames after the credit` };
  let name: string | null = null;
  let knows: Feature[] = [];
  for (const frame of frames) {
    if (frame.length > ABOUT_FRAME_BYTES_MAX)
      return { reason: `a frame of more than ${ABOUT_FRAME_BYTES_MAX} bytes` };
    const text = decodeText(frame);
    if (!text?.includes("=")) return { reason: "a frame after the credit that is not key=value" };
    if (text.startsWith(NAME)) name = text.slice(NAME.length) || null;
    if (text.startsWith(KNOWS)) knows = featuresIn(text.slice(KNOWS.length));
  }
  return { name, knows: new Set(knows) };
}

function featuresIn(words: string): Feature[] {
  const listed = words.split(",");
  return FEATURES.filter((word) => listed.includes(word));
}
