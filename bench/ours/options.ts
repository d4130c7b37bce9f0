// The arguments that a load program is given, as contender.ts writes them, and a worker's.

import { parseArgs } from "node:util";

export type LoadOptions = {
  endpoint: string;
  clients: number;
  outstanding: number;
  bytes: number;
  services: number;
  warmup: number; // Seconds, as the next.
  seconds: number;
};

export type WorkerOptions = {
  endpoint: string;
  connections: number; // Of this process.
  first: number; // The number of its first connection, among those of all processes.
  services: number;
  credit: number;
};

export const loadOptions = () =>
  options<LoadOptions>("clients", "outstanding", "bytes", "services", "warmup", "seconds");

export const workerOptions = () =>
  options<WorkerOptions>("connections", "first", "services", "credit");

/** The name of the nth service of so many. */
export const serviceOf = (nth: number, services: number) =>
  services > 1 ? `s${nth % services}` : "echo";

function options<Options extends { endpoint: string }>(...numbers: (keyof Options & string)[]) {
  const names = ["endpoint", ...numbers];
  const known = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
  const { values } = parseArgs({ options: known });
  for (const name of names) if (values[name] === undefined) throw new Error(`--${name} is missing`);
  const parsed = numbers.map((name) => [name, Number(values[name])]);
  return { endpoint: values.endpoint, ...Object.fromEntries(parsed) } as Options;
}
