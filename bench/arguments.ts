// The command lines of the compared programs: writes those of workers, and parses all of them.

import { parseArgs } from "node:util";
import type { Setting } from "./system.ts";

/** The load generator's options. system.ts explains each of them. */
export type LoadOptions = {
  endpoint: string;
  clients: number;
  outstanding: number;
  bytes: number;
  services: string[];
  warmupSeconds: number;
  seconds: number;
};

export type WorkerOptions = {
  endpoint: string;
  /** One service per connection. */
  services: string[];
  credit: number;
};

/** The names that clients and workers use for so many services. */
export function serviceNames(count: number): string[] {
  return count === 1 ? ["echo"] : Array.from({ length: count }, (_, i) => `s${i}`);
}

/** The command lines of the worker processes, one list per process. */
export function workerArguments(endpoint: string, setting: Setting): string[][] {
  const names = serviceNames(setting.services);
  const served = Array.from(
    { length: setting.workers },
    (_, i) => names[i % names.length] as string,
  );
  const processes = setting.inOneProcess ? [served] : served.map((name) => [name]);
  return processes.map((services) => [
    ...["--endpoint", endpoint, "--credit", String(setting.credit)],
    ...services.flatMap((service) => ["--service", service]),
  ]);
}

/** Parses the command line that `loadArguments` of system.ts writes. Throws if it is invalid. */
export function loadOptions(): LoadOptions {
  const text = { type: "string" } as const;
  const options = {
    ...{ endpoint: text, clients: text, outstanding: text, bytes: text },
    ...{ services: text, warmup: text, seconds: text },
  };
  const { values } = parseArgs({ options });
  return {
    endpoint: required("endpoint", values.endpoint),
    clients: number("clients", values.clients),
    outstanding: number("outstanding", values.outstanding),
    bytes: number("bytes", values.bytes),
    services: serviceNames(number("services", values.services)),
    warmupSeconds: number("warmup", values.warmup),
    seconds: number("seconds", values.seconds),
  };
}

/** Parses the command line of queue-flood.ts. Throws if it is invalid. */
export function floodOptions() {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { endpoint: text, requests: text } });
  return {
    endpoint: required("endpoint", values.endpoint),
    requests: number("requests", values.requests),
  };
}

/** Parses the command line that `workerArguments` writes. Throws if it is invalid. */
export function workerOptions(): WorkerOptions {
  const text = { type: "string" } as const;
  const options = { endpoint: text, credit: text, service: { ...text, multiple: true } } as const;
  const { values } = parseArgs({ options });
  return {
    endpoint: required("endpoint", values.endpoint),
    services: required("service", values.service),
    credit: number("credit", values.credit),
  };
}

function number(name: string, value: string | undefined): number {
  const parsed = Number(required(name, value));
  if (!(parsed >= 0)) throw new Error(`--${name} is not a number: ${value}`);
  return parsed;
}

function required<Value>(name: string, value: Value | undefined): Value {
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}
