// Structured logs: one JSON line per event on standard output. `event` is a stable name for tests and
// alerts, and `msg` is the event as a sentence. Each program declares its events as a union type, and the
// compiler rejects any other.

import { hostname } from "node:os";
import { pino } from "pino";

export type Level = "debug" | "info" | "warn" | "error";

export type Log<Event> = (event: Event) => void;

/** The level and the sentence of each event of a program. */
type Wording<Event> = { levelOf(event: Event): Level; sentenceOf(event: Event): string };

/** Returns the log of a program. Each line has the `fields` too. */
export function logger<Event extends { event: string }>(
  program: string,
  level: string,
  { levelOf, sentenceOf }: Wording<Event>,
  fields: Record<string, string> = {},
): Log<Event> {
  const lines = pino(
    {
      level,
      base: { program, host: hostname(), pid: process.pid, ...fields },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous, so that the last line before a crash is written.
    pino.destination({ sync: true }),
  );
  return (event) => lines[levelOf(event)]<object>(event, sentenceOf(event));
}
