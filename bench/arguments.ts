// The arguments of the programs that are compared: what one makes of a setting, and what they read.

import { parseArgs } from "node:util";
import type { Setting } from "./contender.ts";

export type LoadOptions = {
  endpoint: string;
  clients: number;
  outstanding: number; // Over all clients.
  bytes: number;
  services: string[];
  warmupSeconds: number;
  seconds: number;
};

export type WorkerOptions = {
  endpoint: string;
  services: string[]; // One for each connection.
  credit: number;
};

export function serviceNames(count: number): string[] {
  return count === 1 ? ["echo"] : Array.from({ length: count }, (_, i) => `s${i}`);
}

/** One list for each worker process. */
export function workerArguments(endpoint: string, setting: Setting): string[][] {
  const names = serviceNames(setting.services);
  const served = Array.from(
    { length: setting.workers },
    (_, i) => names[i % names.length] as string,
  );
  const processes = setting.packed ? [served] : served.map((name) => [name]);
  return processes.map((services) => [
    ...["--endpoint", endpoint, "--credit", String(setting.credit)],
    ...services.flatMap((service) => ["--service", service]),
  ]);
}

/** As `loadArguments` of contender.ts writes them. */
export function loadOptions(): LoadOptions {
  const text = { type: "string" } as const;
  const options = {
    ...{ endpoint: text, clients: text, outstanding: text, bytes: text },
    ...{ services: text, warmup: text, seconds: text },
  };
  const { values } = parseArgs({ options });
  return {
    endpoint: given("endpoint", values.endpoint),
    clients: count("clients", values.clients),
    outstanding: count("outstanding", values.outstanding),
    bytes: count("bytes", values.bytes),
    services: serviceNames(count("services", values.services)),
    warmupSeconds: count("warmup", values.warmup),
    seconds: count("seconds", values.seconds),
  };
}

export function floodOptions() {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { endpoint: text, requests: text } });
  return {
    endpoint: given("endpoint", values.endpoint),
    requests: count("requests", values.requests),
  };
}

export function workerOptions(): WorkerOptions {
  const text = { type: "string" } as const;
  const options = { endpoint: text, credit: text, service: { ...text, multiple: true } } as const;
  const { values } = parseArgs({ options });
  return {
    endpoint: given("endpoint", values.endpoint),
    services: given("service", values.service),
    credit: count("credit", values.credit),
  };
}

function count(name: string, value: string | undefined): number {
  const number = Number(given(name, value));
  if (!(number >= 0)) throw new Error(`--${name} is not a number: ${value}`);
  return number;
}

function given<Value>(name: string, value: Value | undefined): Value {
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}
