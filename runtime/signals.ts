// SIGTERM and SIGINT: the first one makes a program drain, and the last one ends it at once.

import { constants } from "node:os";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Under npm, one Ctrl-C arrives twice: from the terminal and from npm. In ms. */
const SAME_SIGNAL_MS = 200;

/**
 * Calls `stop` at the first signal. A later signal calls `atOnce` and ends the process. With
 * `sooner`, the second signal calls that instead, and the third one ends the process.
 */
export function onStopSignal(
  stop: (signal: string) => void,
  atOnce = () => {},
  sooner: (() => void) | null = null,
) {
  const steps = sooner ? [stop, sooner] : [stop];
  let lastAt = -Infinity;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - lastAt <= SAME_SIGNAL_MS) return;
      lastAt = now;
      const step = steps.shift();
      if (step) return step(signal);
      atOnce();
      process.exit(128 + constants.signals[signal]);
    });
  }
}
