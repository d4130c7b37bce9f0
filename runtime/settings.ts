// The settings of a program, read from its environment. All are validated together, so that one run
// names every invalid value.

import { isatty } from "node:tty";
import { DEFAULT_HEARTBEAT, type Heartbeat } from "../protocol/heartbeat.ts";
import { MESSAGE_BYTES_MAX } from "../protocol/mdp.ts";
import { isBrokerEndpoint, isEndpoint } from "../transport/endpoint.ts";
import { TRANSPORT_DEFAULT, TRANSPORTS } from "../transport/transport.ts";
import { fail } from "./fail.ts";
import { HEALTH_HOST, type HealthOptions } from "./health.ts";
import { memoryMaxHere } from "./memory-budget.ts";
import { connectionsFor, openFilesMax } from "./open-files.ts";
import {
  HEARTBEAT_INTERVAL_MS,
  HEARTBEAT_LIVENESS,
  MEMORY_BYTES,
  MESSAGE_BYTES,
  PORT,
} from "./ranges.ts";
import { mistypedNames } from "./setting-names.ts";

/** Reads the text of a setting, undefined where it is not set. */
export type Setting<Value> = (text: string | undefined) => { value: Value } | { expected: string };

type ValuesOf<Shape extends Record<string, Setting<unknown>>> = {
  [Name in keyof Shape]: Shape[Name] extends Setting<infer Value> ? Value : never;
};

/**
 * Returns the validated settings. Invalid values end the process with one line that names each. A name
 * MDP_… that is no setting is a line on standard error, once per process.
 */
export function readSettings<Shape extends Record<string, Setting<unknown>>>(
  program: string,
  shape: Shape,
): ValuesOf<Shape> {
  const values: Record<string, unknown> = {};
  const bad: string[] = [];
  for (const [name, setting] of Object.entries(shape)) {
    const text = process.env[name] || undefined; // compose passes unset variables as empty ones.
    const result = setting(text);
    if ("value" in result) values[name] = result.value;
    else {
      const given = text === undefined ? "" : `=${JSON.stringify(text)}`;
      bad.push(`${name}${given} is not ${result.expected}`);
    }
  }
  for (const sentence of mistypedNames(Object.keys(process.env), Object.keys(shape))) {
    if (warned.has(sentence)) continue;
    warned.add(sentence);
    process.stderr.write(`${program}: warning: ${sentence}\n`);
  }
  if (bad.length > 0) fail(program, bad.join("; "));
  return values as ValuesOf<Shape>;
}

const warned = new Set<string>();

/** The value that `read` makes of the text; null for a text that is not what `expected` says. */
export const setting =
  <Value, Otherwise>(
    expected: string,
    read: (text: string) => Value | null,
    otherwise: () => Otherwise,
  ): Setting<Value | Otherwise> =>
  (text) => {
    if (text === undefined) return { value: otherwise() };
    const value = read(text);
    return value === null ? { expected } : { value };
  };

/** A whole number from `least` to `most`, with a default. */
export const whole = (what: string, least: number, most: number, otherwise: number) =>
  wholeNumber(what, least, most, () => otherwise);

/** One of these words, with a default. `expected` names them in errors. */
export const oneOf = <Word extends string>(
  words: readonly Word[],
  otherwise: Word,
  expected = `one of ${words.join(", ")}`,
): Setting<Word> =>
  setting(
    expected,
    (text) => words.find((word) => word === text) ?? null,
    () => otherwise,
  );

/** Any text, with a default. */
export const text = <Otherwise>(otherwise: Otherwise): Setting<string | Otherwise> =>
  setting(
    "a text",
    (text) => text,
    () => otherwise,
  );

/**
 * The endpoint that the broker binds. The host `*` stands for all addresses of the machine, the port
 * `*` or 0 for a free port.
 */
export const bindEndpoint = endpointHere(
  "an endpoint such as tcp://*:5555, tcp://[::1]:5555 or ipc:///run/mdp.sock",
  isEndpoint,
);

/** The endpoint of the broker, for workers and clients; MDP_PORT of this machine by default. */
export const brokerEndpoint = endpointHere(
  "an endpoint such as tcp://localhost:5555, tcp://[::1]:5555 or ipc:///run/mdp.sock",
  isBrokerEndpoint,
);

/** The endpoints of one broker or several, with commas between; by default that of brokerEndpoint. */
export const brokerEndpoints: Setting<string[]> = (list) => {
  if (list !== undefined) {
    const endpoints = list.split(",");
    if (endpoints.every(isBrokerEndpoint)) return { value: endpoints };
    return { expected: "endpoints such as tcp://localhost:5555" };
  }
  const one = brokerEndpoint(list);
  return "value" in one ? { value: [one.value] } : one;
};

/** An endpoint. By default the port MDP_PORT, on which compose publishes the broker, or 5555. */
function endpointHere(expected: string, isValid: (text: string) => boolean): Setting<string> {
  return (text) => {
    if (text !== undefined) return isValid(text) ? { value: text } : { expected };
    const value = `tcp://127.0.0.1:${process.env.MDP_PORT || 5555}`;
    if (isBrokerEndpoint(value)) return { value };
    return { expected: `set, and MDP_PORT=${JSON.stringify(process.env.MDP_PORT)} is no port` };
  };
}

/** The transport of this process. All transports are the same on the wire. */
export const transport = oneOf(TRANSPORTS, TRANSPORT_DEFAULT);

export const heartbeatSettings = {
  MDP_HEARTBEAT_INTERVAL_MS: whole(...HEARTBEAT_INTERVAL_MS, DEFAULT_HEARTBEAT.intervalMs),
  MDP_HEARTBEAT_LIVENESS: whole(...HEARTBEAT_LIVENESS, DEFAULT_HEARTBEAT.liveness),
};

export const heartbeatFrom = (settings: {
  MDP_HEARTBEAT_INTERVAL_MS: number;
  MDP_HEARTBEAT_LIVENESS: number;
}): Heartbeat => ({
  intervalMs: settings.MDP_HEARTBEAT_INTERVAL_MS,
  liveness: settings.MDP_HEARTBEAT_LIVENESS,
});

/** The memory budget of the broker, in bytes. By default that of its cgroup or its machine. */
export const memoryBudget = wholeNumber(...MEMORY_BYTES, memoryMaxHere);

/** A number that follows from the memory budget if it is not set. */
export const wholeFromBudget = (what: string, least: number, most: number) =>
  wholeNumber(what, least, most, () => undefined);

/** The most connections that the limit of open files allows. */
export const connectionsForOpenFiles = () => connectionsFor(openFilesMax());

export const messageBytesMax = whole(...MESSAGE_BYTES, MESSAGE_BYTES_MAX);

const logLevel = oneOf(["trace", "debug", "info", "warn", "error", "silent"], "info");

/** The lowest level of a log, and its form: by default pretty on a terminal, and JSON elsewhere. */
export const logSettings = {
  LOG_LEVEL: logLevel,
  LOG_FORMAT: oneOf(["json", "pretty"], isatty(1) ? "pretty" : "json", "json or pretty"),
};

/** A switch that is on by default. */
export const unlessOff = setting(
  "on or off",
  (text) => (text === "on" ? true : text === "off" ? false : null),
  () => true,
);

/** The address of /livez, /readyz and /metrics; without a port, nothing serves them. */
export const healthSettings = {
  MDP_HEALTH_HOST: text(HEALTH_HOST),
  MDP_HEALTH_PORT: wholeNumber(...PORT, () => undefined),
};

export const healthFrom = (settings: {
  MDP_HEALTH_HOST: string;
  MDP_HEALTH_PORT?: number | undefined;
}): HealthOptions | undefined =>
  settings.MDP_HEALTH_PORT === undefined
    ? undefined
    : { host: settings.MDP_HEALTH_HOST, port: settings.MDP_HEALTH_PORT };

function wholeNumber<Otherwise>(
  what: string,
  least: number,
  most: number,
  otherwise: () => Otherwise,
): Setting<number | Otherwise> {
  const read = (text: string) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : -1;
    return value >= least && value <= most ? value : null;
  };
  return setting(`${what} from ${least} to ${most}`, read, otherwise);
}
