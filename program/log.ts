// Structured logs: one JSON line an event on standard output. `event` is a stable name for tests
// and alerts, `msg` the same as a sentence.

import { hostname } from "node:os";
import { type Logger, pino } from "pino";

export type { Logger };

export const logger = (program: string, level: string): Logger =>
  pino(
    {
      level,
      base: { program, host: hostname(), pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Written at once: the line before a crash is the one that is wanted.
    pino.destination({ sync: true }),
  );
