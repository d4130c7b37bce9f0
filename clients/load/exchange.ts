// A request and how its reply is checked: what the workload makes, and what is asked of the broker.

import type { Frame } from "../../protocol/frame.ts";

export const SERVICES = ["echo", "math", "db"] as const;
export type ServiceName = (typeof SERVICES)[number];

export type Exchange = {
  service: ServiceName;
  body: Frame[];
  /** What is wrong with this reply, or null if it is right. */
  wrong(reply: Frame[]): string | null;
  /** Whether an error 404 of the service is a wrong reply: what is asked for must be there. */
  absentIsWrong: boolean;
  /** To be called at its end; `answered` if the right reply came. */
  over(answered: boolean): void;
};

/** Frames as a reader can stand them: short ones as text, long ones by their size. */
export function sketch(frames: Frame[]): string {
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
