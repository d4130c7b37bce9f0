// The settings of a program, read from its environment. All are validated together, so that one run
// names every invalid value.

import { z } from "zod";
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

/** Returns the validated settings. Invalid values end the process with one line that names each. */
export function readSettings<Shape extends z.ZodRawShape>(program: string, shape: Shape) {
  // compose passes unset variables as empty ones.
  const set = Object.entries(process.env).filter(([, value]) => value !== "");
  const parsed = z.object(shape).safeParse(Object.fromEntries(set));
  if (parsed.success) return parsed.data;
  const bad = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return `${name}=${JSON.stringify(process.env[name])} is not ${issue.message}`;
  });
  return fail(program, bad.join("; "));
}

/** A whole number from `least` to `most`, with a default. */
export const whole = (what: string, least: number, most: number, otherwise: number) =>
  wholeNumber(what, least, most).default(otherwise);

/**
 * The endpoint that the broker binds. The host `*` stands for all addresses of the machine, the port
 * `*` or 0 for a free port.
 */
export const bindEndpoint = z
  .string()
  .refine(isEndpoint, "an endpoint such as tcp://*:5555, tcp://[::1]:5555 or ipc:///run/mdp.sock")
  .default("tcp://127.0.0.1:5555");

/** The endpoint of the broker, for workers and clients. */
export const brokerEndpoint = z
  .string()
  .refine(
    isBrokerEndpoint,
    "an endpoint such as tcp://localhost:5555, tcp://[::1]:5555 or ipc:///run/mdp.sock",
  )
  .default("tcp://127.0.0.1:5555");

/** The transport of this process. All transports are the same on the wire. */
export const transport = z
  .enum(TRANSPORTS, { message: `one of ${TRANSPORTS.join(", ")}` })
  .default(TRANSPORT_DEFAULT);

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
export const memoryBudget = wholeNumber(...MEMORY_BYTES).default(memoryMaxHere);

/** A number that follows from the memory budget if it is not set. */
export const wholeFromBudget = (what: string, least: number, most: number) =>
  wholeNumber(what, least, most).optional();

/** The most connections that the limit of open files allows. */
export const connectionsForOpenFiles = () => connectionsFor(openFilesMax());

export const messageBytesMax = whole(...MESSAGE_BYTES, MESSAGE_BYTES_MAX);

export const logLevel = z
  .enum(["trace", "debug", "info", "warn", "error", "silent"], {
    message: "one of trace, debug, info, warn, error, silent",
  })
  .default("info");

/** A switch that is on by default. */
export const unlessOff = z
  .enum(["on", "off"], { message: "on or off" })
  .default("on")
  .transform((value) => value === "on");

/** The address of /livez, /readyz and /metrics; without a port, nothing serves them. */
export const healthSettings = {
  MDP_HEALTH_HOST: z.string().default(HEALTH_HOST),
  MDP_HEALTH_PORT: wholeNumber(...PORT).optional(),
};

export const healthFrom = (settings: {
  MDP_HEALTH_HOST: string;
  MDP_HEALTH_PORT?: number | undefined;
}): HealthOptions | undefined =>
  settings.MDP_HEALTH_PORT === undefined
    ? undefined
    : { host: settings.MDP_HEALTH_HOST, port: settings.MDP_HEALTH_PORT };

function wholeNumber(what: string, least: number, most: number) {
  const message = `${what} from ${least} to ${most}`;
  return z
    .string()
    .regex(/^[0-9]{1,15}$/, message)
    .transform(Number)
    .pipe(z.number().min(least, message).max(most, message));
}
