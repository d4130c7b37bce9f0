// The settings of a program, read from its environment. All are validated together, so that one run
// names every invalid value.

import { z } from "zod";
import { DEFAULT_HEARTBEAT, type Heartbeat } from "../protocol/heartbeat.ts";
import { MESSAGE_BYTES_MAX } from "../protocol/mdp.ts";
import { isBrokerEndpoint, isEndpoint } from "../transport/endpoint.ts";
import { TRANSPORT_DEFAULT, TRANSPORTS } from "../transport/transport.ts";
import { fail } from "./fail.ts";
import { connectionsFor, openFilesMax } from "./open-files.ts";

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
  MDP_HEARTBEAT_INTERVAL_MS: whole("a number of ms", 10, 3_600_000, DEFAULT_HEARTBEAT.intervalMs),
  MDP_HEARTBEAT_LIVENESS: whole("a number of intervals", 2, 100, DEFAULT_HEARTBEAT.liveness),
};

export const heartbeatFrom = (settings: {
  MDP_HEARTBEAT_INTERVAL_MS: number;
  MDP_HEARTBEAT_LIVENESS: number;
}): Heartbeat => ({
  intervalMs: settings.MDP_HEARTBEAT_INTERVAL_MS,
  liveness: settings.MDP_HEARTBEAT_LIVENESS,
});

/** The most connections of the broker. By default as many as the limit of open files allows. */
export const connectionsMax = wholeNumber("a number of connections", 1, 10_000_000).default(() =>
  connectionsFor(openFilesMax()),
);

export const messageBytesMax = whole("a number of bytes", 1024, 2 ** 31 - 1, MESSAGE_BYTES_MAX);

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

/** The port of /livez, /readyz and /metrics; without it, nothing serves them. */
export const healthPort = wholeNumber("a port", 1, 65_535).optional();

function wholeNumber(what: string, least: number, most: number) {
  const message = `${what} from ${least} to ${most}`;
  return z
    .string()
    .regex(/^[0-9]{1,15}$/, message)
    .transform(Number)
    .pipe(z.number().min(least, message).max(most, message));
}
