// Structured logs: one JSON line an event on standard output. `event` is a stable name for tests
// and alerts, `msg` the same as a sentence. What a program may log is a union of events of its own:
// there is no way to log anything else.

import { hostname } from "node:os";
import { pino } from "pino";

export type Level = "debug" | "info" | "warn" | "error";

export type Log<Event> = (event: Event) => void;

/** How the events of a program are told. */
type Telling<Event> = { levelOf(event: Event): Level; sentenceOf(event: Event): string };

export function logger<Event extends { event: string }>(
  program: string,
  level: string,
  { levelOf, sentenceOf }: Telling<Event>,
): Log<Event> {
  const lines = pino(
    {
      level,
      base: { program, host: hostname(), pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Written at once: the line before a crash is the one that is wanted.
    pino.destination({ sync: true }),
  );
  return (event) => lines[levelOf(event)]<object>(event, sentenceOf(event));
}
