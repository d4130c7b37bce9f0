// What a request of the simulation asks of its worker. The body tells who asked, what is to happen,
// and in how many parts the reply is to come.

import type { Frame } from "../../protocol/frame.ts";
import type { Oddities } from "./configuration.ts";
import type { Random } from "./random.ts";

export type Task = {
  name: string; // As of no other.
  service: string;
  how: How;
  parts: number; // How many the reply has.
  partPadding: number; // Bytes without a meaning in each of them.
  padding: number; // The same in the request.
  timeoutMs: number; // How long its client waits.
};

/** What the worker does: takes so many ms, never ends, dies, or says no; before the last part. */
export type How = number | "hang" | "poison" | "failure";

export function drawHow(random: Random, oddities: Oddities, workMs: number): How {
  if (random.chance(oddities.poison)) return "poison";
  if (random.chance(oddities.hang)) return "hang";
  if (random.chance(oddities.failure)) return "failure";
  return Math.round(random.around(workMs));
}

export function drawForm(random: Random, oddities: Oddities, bytesMax: number) {
  const parts = random.chance(oddities.inParts) ? random.whole(2, PARTS_MAX) : 1;
  const partPadding = random.chance(oddities.longParts) ? random.whole(0, bytesMax / 2) : 0;
  return { parts, partPadding };
}

const PARTS_MAX = 6;

/** As the body of a request has it. */
export type Order = Pick<Task, "name" | "how" | "parts" | "partPadding">;

export const bodyOf = ({ name, how, parts, partPadding, padding }: Task): Frame[] => [
  Buffer.from(name),
  Buffer.from(String(how)),
  Buffer.from(`${parts} x ${partPadding}`),
  Buffer.alloc(padding),
];

/** What a body asks for, if it is one of ours. */
export function orderOf([name, how, form]: Frame[]): Order {
  const word = String(how);
  const known = word === "hang" || word === "poison" || word === "failure";
  const [parts = 1, partPadding = 0] = String(form).split(" x ").map(Number);
  return { name: String(name), how: known ? word : Number(word), parts, partPadding };
}
