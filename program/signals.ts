// SIGTERM and SIGINT: the first asks a program to finish, a second one ends it at once.

import { constants } from "node:os";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

export function onStopSignal(stop: (signal: string) => void, atOnce = () => {}) {
  let stopping = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stopping) {
        atOnce();
        process.exit(128 + constants.signals[signal]);
      }
      stopping = true;
      stop(signal);
    });
  }
}
