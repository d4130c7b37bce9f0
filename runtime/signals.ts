// SIGTERM and SIGINT: the first asks a program to finish, a second one ends it at once.

import { constants } from "node:os";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** One Ctrl-C under npm comes twice: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 200;

/** Calls `stop` at the first signal. At a later one calls `atOnce` and ends the process. */
export function onStopSignal(stop: (signal: string) => void, atOnce = () => {}) {
  let stoppedAt: number | null = null;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stoppedAt === null) {
        stoppedAt = performance.now();
        stop(signal);
      } else if (performance.now() - stoppedAt > SAME_SIGNAL_MS) {
        atOnce();
        process.exit(128 + constants.signals[signal]);
      }
    });
  }
}
