// A simulated request and its instructions for the worker. The body holds the request's name, the
// worker's behaviour and the number of parts in the reply.

import type { Frame } from "../../protocol/frame.ts";
import type { Oddities } from "./configuration.ts";
import type { Random } from "./random.ts";

export type Task = {
  name: string; // Unique in the run.
  service: string;
  how: How;
  parts: number; // The number of parts in the reply.
  partPadding: number; // Filler bytes in each part.
  padding: number; // Filler bytes in the request.
  timeoutMs: number; // How long its client waits.
};

/**
 * The worker's behaviour before the last part: work for so many ms, hang, die, or reply with an
 * error. At "late" a plain worker is silent for longer than a lease. At "swallow" it never replies, and
 * goes on as if the request had not come.
 */
export type How = number | "hang" | "late" | "swallow" | "poison" | "failure";

export function drawHow(random: Random, oddities: Oddities, workMs: number): How {
  if (random.chance(oddities.poison)) return "poison";
  if (random.chance(oddities.hang)) return "hang";
  if (random.chance(oddities.late)) return "late";
  if (random.chance(oddities.swallow)) return "swallow";
  if (random.chance(oddities.failure)) return "failure";
  return Math.round(random.around(workMs));
}

export function drawForm(random: Random, oddities: Oddities, bytesMax: number) {
  const parts = random.chance(oddities.inParts) ? random.whole(2, PARTS_MAX) : 1;
  const partPadding = random.chance(oddities.longParts) ? random.whole(0, bytesMax / 2) : 0;
  return { parts, partPadding };
}

const PARTS_MAX = 6;

/** The fields of a task that the request body carries. */
export type Order = Pick<Task, "name" | "how" | "parts" | "partPadding">;

export const bodyOf = ({ name, how, parts, partPadding, padding }: Task): Frame[] => [
  Buffer.from(name),
  Buffer.from(String(how)),
  Buffer.from(`${parts} x ${partPadding}`),
  Buffer.alloc(padding),
];

/** Returns the order that a request body carries. */
export function orderOf([name, how, form]: Frame[]): Order {
  const word = String(how);
  const known = WORDS.find((one) => one === word);
  const [parts = 1, partPadding = 0] = String(form).split(" x ").map(Number);
  return { name: String(name), how: known ?? Number(word), parts, partPadding };
}

const WORDS = ["hang", "late", "swallow", "poison", "failure"] as const satisfies How[];
