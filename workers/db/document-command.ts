// Parses and validates a request to the db service, one frame of JSON such as
// {"command":"get","key":"user:1"}. commands.ts gets valid commands only.

import { z } from "zod";
import type { Frame } from "../../protocol/frame.ts";
import { ServiceError } from "../worker.ts";
import { parseExactly } from "./exact-json.ts";

/** The longest key, in bytes of UTF-8. */
export const KEY_BYTES_MAX = 512;
/** The largest value, in bytes of JSON. */
export const VALUE_BYTES_MAX = 256 * 1024;
/** The most documents per page of a list. */
export const LIMIT_MAX = 1000;
/** The most commands per batch. */
export const BATCH_MAX = 100;

const text = (least: number) => {
  const message = `a text of ${least} to ${KEY_BYTES_MAX} bytes without NUL`;
  return z.string(message).refine((value) => {
    const bytes = Buffer.byteLength(value);
    // Without this check the database could merge two keys.
    const isKept = value.isWellFormed() && !value.includes("\0");
    return isKept && bytes >= least && bytes <= KEY_BYTES_MAX;
  }, message);
};

const whole = (least: number, most: number, message: string) =>
  z.int(message).min(least, message).max(most, message);

const key = text(1);

const WHOLE = "a whole number from -(2^53 - 1) to 2^53 - 1";

const PUT = z.strictObject({
  command: z.literal("put"),
  key,
  value: z
    .unknown()
    .refine((value) => value !== undefined, "given")
    .transform((value) => JSON.stringify(value)),
  expectedVersion: whole(
    0,
    Number.MAX_SAFE_INTEGER,
    "a whole number, 0 for a document that is absent",
  ).optional(),
});
const GET = z.strictObject({ command: z.literal("get"), key });
const DELETE = z.strictObject({ command: z.literal("delete"), key });
const INCREMENT = z.strictObject({
  command: z.literal("increment"),
  key,
  by: z.int(WHOLE).default(1),
});
const LIST = z.strictObject({
  command: z.literal("list"),
  prefix: text(0).default(""),
  limit: whole(1, LIMIT_MAX, `a whole number from 1 to ${LIMIT_MAX}`).default(100),
  cursor: key.optional(), // The last key of the page before.
});

const STEP = z.discriminatedUnion("command", [PUT, GET, DELETE, INCREMENT]);
const steps = `an array of 1 to ${BATCH_MAX} commands`;
const BATCH = z.strictObject({
  command: z.literal("batch"),
  commands: z.array(STEP, steps).min(1, steps).max(BATCH_MAX, steps),
});

const id = { id: key.optional() };
const REQUEST = z.discriminatedUnion("command", [
  PUT.extend(id),
  GET.extend(id),
  DELETE.extend(id),
  INCREMENT.extend(id),
  LIST.extend(id),
  BATCH.extend(id),
]);

/** A command that a batch may have. The value of a put is JSON text. */
export type Step = z.infer<typeof STEP>;

/** A command. */
export type DocumentCommand = Step | z.infer<typeof LIST> | z.infer<typeof BATCH>;

/**
 * A command and the id that the client chose, or null: a second request with that id changes
 * nothing.
 */
export type DocumentRequest = { command: DocumentCommand; id: string | null };

/** Parses a body. Throws a ServiceError, 400 or 413, that names each fault. */
export function readRequest(body: Frame[]): DocumentRequest {
  const [frame] = body;
  if (!frame || body.length !== 1) {
    throw new ServiceError(400, `one frame of JSON expected, got ${body.length} frames`);
  }
  try {
    return parseRequest(parseJson(frame));
  } catch (error) {
    if (error instanceof RangeError) throw new ServiceError(400, "nested too deeply");
    throw error;
  }
}

function parseRequest(input: unknown): DocumentRequest {
  const parsed = REQUEST.safeParse(input);
  if (!parsed.success) {
    const sentences = parsed.error.issues.map((issue) => sentenceOf(issue, input));
    throw new ServiceError(400, sentences.join("; ").slice(0, SENTENCE_CHARACTERS_MAX));
  }
  const { id = null, ...command } = parsed.data;
  for (const step of command.command === "batch" ? command.commands : [command]) {
    if (step.command === "put" && Buffer.byteLength(step.value) > VALUE_BYTES_MAX) {
      throw new ServiceError(413, `value has more than ${VALUE_BYTES_MAX / 1024} KiB of JSON`);
    }
  }
  return { command, id };
}

// An error quotes the request, so its length is limited.
const SENTENCE_CHARACTERS_MAX = 300;
const NAME_CHARACTERS_MAX = 50;

function sentenceOf(issue: z.core.$ZodIssue, input: unknown): string {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const names = issue.keys.map((name) => JSON.stringify(name)).join(", ");
    return `unknown property ${names}${path && ` in ${path}`}`;
  }
  if (issue.path.at(-1) === "command") return unknownCommand(issue, input);
  if (issue.code === "invalid_type" && issue.expected === "object") {
    return `${path || "the request"} is not a JSON object`;
  }
  return `${path} is not ${issue.message}`;
}

function unknownCommand({ path }: z.core.$ZodIssue, input: unknown): string {
  const found = path.reduce<unknown>((value, name) => (value as never)[name], input);
  const inBatch = path.length > 1;
  const where = inBatch ? ` in ${path.slice(0, -1).join(".")}` : "";
  const known = (inBatch ? STEP : REQUEST).options.map((one) => one.shape.command.value).join(", ");
  if (found === undefined) return `no command${where}; the commands are ${known}`;
  const name = JSON.stringify(found).slice(0, NAME_CHARACTERS_MAX);
  return `unknown command ${name}${where}; the commands are ${known}`;
}

function parseJson(frame: Frame): unknown {
  try {
    const json = new TextDecoder("utf-8", { fatal: true }).decode(frame);
    return parseExactly(json);
  } catch (error) {
    if (error instanceof SyntaxError) throw new ServiceError(400, `not JSON: ${oneLine(error)}`);
    if (error instanceof TypeError) throw new ServiceError(400, "not JSON: it is not UTF-8");
    throw error;
  }
}

const oneLine = ({ message }: Error) => message.replace(/[\s\p{C}]+/gu, " ");
