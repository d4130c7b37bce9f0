// What a request of the simulation asks of its worker. The body tells who asked and what is to
// happen, and the reply repeats the name: so whoever gets it knows whether it is the right one.

import type { Frame } from "../../protocol/frame.ts";
import type { Oddities } from "./configuration.ts";
import type { Random } from "./random.ts";

export type Task = {
  name: string; // As of no other.
  service: string;
  how: How;
  padding: number; // Bytes without a meaning.
  timeoutMs: number; // How long its client waits.
};

/** What the worker does: takes so many ms, never ends, dies, or says no. */
export type How = number | "hang" | "poison" | "failure";

export function drawHow(random: Random, oddities: Oddities, workMs: number): How {
  if (random.chance(oddities.poison)) return "poison";
  if (random.chance(oddities.hang)) return "hang";
  if (random.chance(oddities.failure)) return "failure";
  return Math.round(random.around(workMs));
}

export const bodyOf = ({ name, how, padding }: Task): Frame[] => [
  Buffer.from(name),
  Buffer.from(String(how)),
  Buffer.alloc(padding),
];

/** What a body asks for, if it is one of ours. */
export function taskOf([name, how]: Frame[]): { name: string; how: How } {
  const word = String(how);
  const known = word === "hang" || word === "poison" || word === "failure";
  return { name: String(name), how: known ? word : Number(word) };
}

export const replyOf = (name: string, worker: string): Frame[] => [
  Buffer.from(name),
  Buffer.from(worker),
];
