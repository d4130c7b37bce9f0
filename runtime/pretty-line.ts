// A log line for people: the time, the program and the sentence. The fields are in the JSON alone.

import { isatty } from "node:tty";
import { styleText } from "node:util";

type Line = { time: string; level: string; program: string; msg: string };

/**
 * Returns a JSON line of the log as `10:31:23.456  broker   listening on …`, with the level before the
 * sentence of a warning or an error. The time is UTC. A terminal gets colors, unless NO_COLOR is set.
 */
export function prettyLine(json: string): string {
  const { time, level, program, msg }: Line = JSON.parse(json);
  const at = styled("dim", time.slice("2026-01-01T".length, -1));
  return `${at}  ${program.padEnd(7)}  ${sentence(level, escaped(msg))}\n`;
}

function sentence(level: string, msg: string): string {
  if (level === "error") return styled("red", `error: ${msg}`);
  return level === "warn" ? styled("yellow", `warning: ${msg}`) : msg;
}

/** Text of a peer must not move the cursor, change colors or begin a line. */
const escaped = (text: string) =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );

/** The first use of process.stdout changes the mode of a pipe, so only a terminal has it. */
const styled = (style: "dim" | "red" | "yellow", text: string) =>
  TERMINAL ? styleText(style, text, { stream: process.stdout }) : text;

const TERMINAL = isatty(1);
