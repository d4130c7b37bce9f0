// SIGTERM and SIGINT: the first one makes a program drain, a second one ends it at once.

import { constants } from "node:os";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Under npm, one Ctrl-C arrives twice: from the terminal and from npm. In ms. */
const SAME_SIGNAL_MS = 200;

/** Calls `stop` at the first signal. A later signal calls `atOnce` and ends the process. */
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
