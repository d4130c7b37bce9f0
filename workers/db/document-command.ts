// What a request to the db service says, one frame of JSON: {"command":"get","key":"user:1"}.
// Whatever documents.ts is given has passed through here.

import { z } from "zod";
import type { Frame } from "../../protocol/frame.ts";
import { ServiceError } from "../worker.ts";

export const KEY_BYTES_MAX = 512;
export const VALUE_BYTES_MAX = 256 * 1024; // Of JSON.
export const LIMIT_MAX = 1000;

const text = (least: number) => {
  const message = `a text of ${least} to ${KEY_BYTES_MAX} bytes without NUL`;
  return z.string(message).refine((value) => {
    const bytes = Buffer.byteLength(value);
    const kept = value.isWellFormed() && !value.includes("\0"); // Else two keys could become one.
    return kept && bytes >= least && bytes <= KEY_BYTES_MAX;
  }, message);
};

const key = text(1);
const wholeLimit = `a whole number from 1 to ${LIMIT_MAX}`;

const SCHEMA = z.discriminatedUnion("command", [
  z.strictObject({
    command: z.literal("put"),
    key,
    value: z
      .unknown()
      .refine((value) => value !== undefined, "given")
      .transform((value) => JSON.stringify(value)),
  }),
  z.strictObject({ command: z.literal("get"), key }),
  z.strictObject({ command: z.literal("delete"), key }),
  z.strictObject({ command: z.literal("increment"), key, by: z.int("a whole number").default(1) }),
  z.strictObject({
    command: z.literal("list"),
    prefix: text(0).default(""),
    limit: z.int(wholeLimit).min(1, wholeLimit).max(LIMIT_MAX, wholeLimit).default(100),
    cursor: key.optional(), // The last key of the page before.
  }),
]);

/** A valid command; the value of a put is a JSON text. */
export type DocumentCommand = z.infer<typeof SCHEMA>;

/** The command that a request's body is; throws a ServiceError that says why it is none. */
export function readCommand(body: Frame[]): DocumentCommand {
  const [frame] = body;
  if (!frame || body.length !== 1) {
    throw new ServiceError(400, `one frame of JSON expected, got ${body.length} frames`);
  }
  try {
    return parseCommand(parseJson(frame));
  } catch (error) {
    if (error instanceof RangeError) throw new ServiceError(400, "nested too deeply");
    throw error;
  }
}

function parseCommand(input: unknown): DocumentCommand {
  const parsed = SCHEMA.safeParse(input);
  if (!parsed.success) {
    const sentences = parsed.error.issues.map((issue) => sentenceOf(issue, input));
    throw new ServiceError(400, sentences.join("; ").slice(0, SENTENCE_CHARACTERS_MAX));
  }
  const command = parsed.data;
  if (command.command === "put" && Buffer.byteLength(command.value) > VALUE_BYTES_MAX) {
    throw new ServiceError(413, `value has more than ${VALUE_BYTES_MAX / 1024} KiB of JSON`);
  }
  return command;
}

// A request chooses what an error quotes of it.
const SENTENCE_CHARACTERS_MAX = 300;
const NAME_CHARACTERS_MAX = 50;

function sentenceOf(issue: z.core.$ZodIssue, input: unknown): string {
  const path = issue.path.join(".");
  if (path === "") {
    if (issue.code !== "unrecognized_keys") return "the request is not a JSON object";
    return `unknown property ${issue.keys.map((name) => JSON.stringify(name)).join(", ")}`;
  }
  if (path !== "command") return `${path} is not ${issue.message}`;
  const { command } = input as { command?: unknown };
  const known = SCHEMA.options.map((option) => option.shape.command.value).join(", ");
  if (command === undefined) return `no command: known are ${known}`;
  const name = JSON.stringify(command).slice(0, NAME_CHARACTERS_MAX);
  return `unknown command ${name}: known are ${known}`;
}

function parseJson(frame: Frame): unknown {
  try {
    const json = new TextDecoder("utf-8", { fatal: true }).decode(frame);
    return JSON.parse(json, keepable as Parameters<typeof JSON.parse>[1]);
  } catch (error) {
    if (error instanceof SyntaxError) throw new ServiceError(400, `not JSON: ${oneLine(error)}`);
    if (error instanceof TypeError) throw new ServiceError(400, "not JSON: it is not UTF-8");
    throw error;
  }
}

/** Refuses what JSON can say and JavaScript would silently change. */
function keepable(name: string, value: unknown, { source = "" }: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  if (Number.isFinite(value) && !/^-?[0-9]+$/.test(source)) return value;
  const where = JSON.stringify(name).slice(0, NAME_CHARACTERS_MAX);
  throw new ServiceError(400, `the number at ${where} is beyond 2^53 and would be inexact`);
}

const oneLine = ({ message }: Error) => message.replace(/[\s\p{C}]+/gu, " ");
