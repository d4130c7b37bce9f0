// A request of the load client, together with the check of its reply.

import type { Frame } from "../../protocol/frame.ts";

/** The services whose replies the load client checks. */
export const SERVICES = ["echo", "math", "db"] as const;
export type ServiceName = (typeof SERVICES)[number];

/** A service of the user: each request has this body, and any reply that is no error is correct. */
export type OwnService = { service: string; body: Frame[] };

/** One request and the check of its reply. */
export type Exchange = {
  service: string;
  body: Frame[];
  /** Returns how this reply differs from the correct one, or null if it is correct. */
  mismatch(reply: Frame[]): string | null;
  /** True if an error reply 404 is a wrong reply, because the service must have the document. */
  mustExist: boolean;
  /** The caller must call this with the outcome; `answered`: the correct reply arrived. */
  ended(answered: boolean): void;
};

/** Returns frames as a short text: short frames as text or hex, long ones as their size. */
export function preview(frames: Frame[]): string {
  const shown = frames.slice(0, FRAMES_SHOWN).map((frame) => {
    if (frame.length > FRAME_BYTES_SHOWN) return `${frame.length} bytes`;
    const text = frame.toString();
    return /^[\x20-\x7e]*$/.test(text) ? JSON.stringify(text) : `0x${frame.toString("hex")}`;
  });
  if (frames.length > FRAMES_SHOWN) shown.push("…");
  return `[${shown.join(", ")}]`;
}

const FRAMES_SHOWN = 5;
const FRAME_BYTES_SHOWN = 80;
