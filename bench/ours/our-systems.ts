// This project as systems, on either transport: with the client library, and with bare clients and
// workers that leave most of the time to the broker. Also the zeromq.js example.

import { workerArguments } from "../arguments.ts";
import { loadArguments, type Program, type Setting, type System } from "../system.ts";

export type TransportName = "zmtp" | "libzmq";

/** The broker with the client library: Client and serve(), with `credit` requests in flight. */
export const withClientLibrary = (transport: TransportName, credit: number): System => ({
  name: nameOf(transport, credit),
  missing: () => null,
  programs: (setting, { port }) => [
    broker(transport, port),
    ...workers("library-worker", port, { ...setting, credit }, SERVE, transport),
    client("library-client", port, setting, transport),
  ],
});

/** The broker with clients and workers that send 7/MDP frames straight to the connection. */
export const withBarePeers = (transport: TransportName, credit: number): System => ({
  name: `${nameOf(transport, credit)}, bare peers`,
  missing: () => null,
  programs: (setting, { port }) => [
    broker(transport, port),
    ...bareWorkers(transport, port, { ...setting, credit }),
    client("bare-client", port, setting, transport),
  ],
});

/** A broker, client and workers written as the readme of zeromq.js suggests. */
export const zeromqExample: System = {
  name: "zeromq.js example",
  missing: () => null,
  programs: (setting, { port }) => [
    {
      ...program("broker", "example-broker", [endpointOf(port)]),
      ready: { port },
    },
    ...workers("example-worker", port, setting, { ready: { line: "ready" } }),
    client("example-client", port, setting),
  ],
};

/** This project's broker, with bounds so high that it rejects no request. */
export function broker(transport: TransportName, port: number): Program {
  return {
    role: "broker",
    command: process.execPath,
    args: ["--max-semi-space-size=16", "--import", "tsx", "broker/main.ts"], // As `npm run broker` does.
    env: {
      MDP_TRANSPORT: transport,
      MDP_BIND: endpointOf(port),
      MDP_QUEUE_MAX: "10000000",
      MDP_QUEUE_BYTES_MAX: String(2 ** 40),
      MDP_SERVICES_MAX: "100000",
      MDP_REQUEST_TTL_MS: "86400000",
      LOG_LEVEL: "warn",
    },
    ready: { port },
  };
}

/** Bare workers, as many as the setting has. */
export const bareWorkers = (transport: TransportName, port: number, setting: Setting) =>
  workers("bare-worker", port, setting, { ready: { line: "ready" } }, transport);

/** Sends this many requests of 64 bytes to a service that has no worker yet. */
export const queueFlood = (transport: TransportName, port: number, requests: number): Program => ({
  ...program("client", "queue-flood", [
    "--endpoint",
    endpointOf(port),
    "--requests",
    String(requests),
  ]),
  env: { MDP_TRANSPORT: transport },
});

/** The endpoint at this port of 127.0.0.1. */
export const endpointOf = (port: number) => `tcp://127.0.0.1:${port}`;

/** READY has no answer, so the run waits until serve() logs that it was sent. */
const SERVE = {
  ready: { line: '"event":"session.opened"' },
  env: { LOG_LEVEL: "debug" },
};

/** The label of the broker with clients and workers in C. */
export const ours = (transport: TransportName) => `ours, ${transport}`;

const nameOf = (transport: TransportName, credit: number) =>
  `${ours(transport)}, ${credit === 1 ? "one at a time" : `credit ${credit}`}`;

function client(name: string, port: number, setting: Setting, transport?: TransportName): Program {
  const { env, ...rest } = program("client", name, loadArguments(endpointOf(port), setting));
  return { ...rest, env: { ...env, ...(transport && { MDP_TRANSPORT: transport }) } };
}

function workers(
  name: string,
  port: number,
  setting: Setting,
  more: Pick<Program, "ready"> & { env?: Record<string, string> },
  transport?: TransportName,
): Program[] {
  return workerArguments(endpointOf(port), setting).map((args) => ({
    ...program("worker", name, args),
    ...more,
    env: {
      MDP_BROKER: endpointOf(port),
      ...(transport && { MDP_TRANSPORT: transport }),
      ...more.env,
    },
  }));
}

const program = (role: Program["role"], name: string, args: string[]): Program => ({
  role,
  command: process.execPath,
  args: ["--import", "tsx", `bench/ours/${name}.ts`, ...args],
  ready: null,
});
