// Structured logs: one line per event on standard output, as JSON or for a terminal. `event` is a stable
// name for tests and alerts, and `msg` is the event as a sentence. Each program declares its events as a
// union type, and the compiler rejects any other.

import { hostname } from "node:os";
import { LogOutput, standardOutput } from "./log-output.ts";
import { optionalPackage } from "./optional-package.ts";
import { prettyLine } from "./pretty-line.ts";

export type Level = "debug" | "info" | "warn" | "error";

export type Log<Event> = (event: Event) => void;

/** The methods of a logger that this project calls. A logger of pino has them. */
export type Logger = Record<Level, (fields: object, sentence: string) => void>;

/** The level and the sentence of each event of a program. */
type Wording<Event> = { levelOf(event: Event): Level; sentenceOf(event: Event): string };

/** The settings of a log, as logSettings reads them. */
export type LogSettings = { LOG_LEVEL: string; LOG_FORMAT: "json" | "pretty" };

/** The log events of every program. */
export const LEVELS = { "log.resumed": "warn" } as const;

/** Returns the log of a program. Each line has the `fields` too. */
export function logger<Event extends { event: string }>(
  program: string,
  settings: LogSettings,
  { levelOf, sentenceOf }: Wording<Event>,
  fields: Record<string, string> = {},
): Log<Event> {
  const lines = lineLogger(program, settings, fields);
  return (event) => lines[levelOf(event)](event, sentenceOf(event));
}

/** Returns the logger that writes the lines of a program. Each line has the `fields` too. */
export function lineLogger(
  program: string,
  { LOG_LEVEL: level, LOG_FORMAT: format }: LogSettings,
  fields: Record<string, string> = {},
): Logger {
  const base = { program, host: hostname(), pid: process.pid, ...fields };
  const formOf = format === "pretty" ? prettyLine : (line: string) => line;
  const write = (line: string) => output?.write(formOf(line));
  const pino = optionalPackage<typeof import("pino")>("pino");
  const lines = pino ? pinoLogger(pino, level, base, write) : plainLogger(level, base, write);
  if (level !== "silent") output ??= openOutput(lines);
  return lines;
}

type Write = (line: string) => void;

function pinoLogger({ pino }: typeof import("pino"), level: string, base: object, write: Write) {
  const options = {
    level,
    base: { ...base },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, { write });
}

const LEVEL_NAMES = ["trace", "debug", "info", "warn", "error", "silent"];

/** Writes the same lines where pino is not installed. */
function plainLogger(least: string, base: object, write: Write): Logger {
  const writer = (level: Level) => (fields: object, msg: string) => {
    if (LEVEL_NAMES.indexOf(level) < LEVEL_NAMES.indexOf(least)) return;
    const time = new Date().toISOString();
    write(`${JSON.stringify({ level, time, ...base, ...fields, msg }, withErrors)}\n`);
  };
  return {
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
  };
}

/** An error has no JSON of its own. */
const withErrors = (_key: string, value: unknown) =>
  value instanceof Error ? { type: value.name, message: value.message, stack: value.stack } : value;

/** The lines that were dropped because nobody read the log, its disk was full, or its pipe broken. */
export const droppedLines = (): number => output?.dropped ?? 0;

/** All logs of a process share it, so that a line written in part is not torn by another log. */
let output: LogOutput | undefined;

function openOutput(lines: Logger): LogOutput {
  const opened = new LogOutput(standardOutput(), (count) => {
    const event = { event: "log.resumed", count };
    lines[LEVELS["log.resumed"]](
      event,
      `the log can be written again; ${count} lines were dropped`,
    );
  });
  process.on("exit", () => opened.flushAtExit(EXIT_MS));
  return opened;
}

/** The longest wait for the reader of the log when the process ends, in ms. */
const EXIT_MS = 1000;
