// The progress of a chaos run as text.

import { count, elapsed } from "../../clients/load/format.ts";

export type ChaosProgress = {
  /** The phase after the faults; empty while faults happen. */
  phase: string;
  /** The time since the first request. */
  seconds: number;
  faults: number;
  answered: number;
  redelivered: number;
  lost: number;
};

/** Short enough for a terminal of 100 columns. */
export function progressText(progress: ChaosProgress, totalSeconds: number): string {
  const { phase, seconds, faults, answered, redelivered, lost } = progress;
  return [
    phase === "" ? `${elapsed(seconds)} of ${elapsed(totalSeconds)}` : phase,
    `faults ${count(faults)}`,
    `answered ${count(answered)}`,
    `redelivered ${count(redelivered)}`,
    `lost ${count(lost)}`,
  ].join("  ");
}
