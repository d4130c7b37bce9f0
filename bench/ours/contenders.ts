// The programs of this project as contenders, on either transport: with the peers that are shipped,
// and with thin ones, so that the broker and not its peers is what is measured.

import { workerArguments } from "../arguments.ts";
import { type Contender, loadArguments, type Program, type Setting } from "../contender.ts";

export type TransportName = "zmtp" | "libzmq";

/** The broker with our own client and workers, which take `credit` requests at once. */
export const shipped = (transport: TransportName, credit: number): Contender => ({
  name: nameOf(transport, credit),
  missing: () => null,
  programs: (setting, { port }) => [
    broker(transport, port),
    ...workers("worker", port, { ...setting, credit }, SERVE, transport),
    client("client", port, setting, transport),
  ],
});

/** The broker with a client and workers that only say what 7/MDP has them say. */
export const thin = (transport: TransportName, credit: number): Contender => ({
  name: `${nameOf(transport, credit)}, thin peers`,
  missing: () => null,
  programs: (setting, { port }) => [
    broker(transport, port),
    ...thinWorkers(transport, port, { ...setting, credit }),
    client("thin-client", port, setting, transport),
  ],
});

export const naive: Contender = {
  name: "zeromq.js as its readme has it",
  missing: () => null,
  programs: (setting, { port }) => [
    {
      ...program("broker", "naive-broker", [endpointOf(port)]),
      ready: { port },
    },
    ...workers("naive-worker", port, setting, { ready: { line: "ready" } }),
    client("naive-client", port, setting),
  ],
};

/** Our broker, which refuses nothing here: bounds are not what is measured. */
export function broker(transport: TransportName, port: number): Program {
  return {
    role: "broker",
    command: process.execPath,
    args: ["--max-semi-space-size=16", "--import", "tsx", "broker/main.ts"], // As npm run broker.
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

export const thinWorkers = (transport: TransportName, port: number, setting: Setting) =>
  workers("thin-worker", port, setting, { ready: { line: "ready" } }, transport);

/** Floods a broker whose service has no workers yet with so many requests of 64 bytes. */
export const flood = (transport: TransportName, port: number, requests: number): Program => ({
  ...program("client", "flood", ["--endpoint", endpointOf(port), "--requests", String(requests)]),
  env: { MDP_TRANSPORT: transport },
});

export const endpointOf = (port: number) => `tcp://127.0.0.1:${port}`;

/** READY has no answer; when it is sent is what serve() tells. */
const SERVE = {
  ready: { line: '"event":"session.opened"' },
  env: { LOG_LEVEL: "debug" },
};

const nameOf = (transport: TransportName, credit: number) =>
  `${transport}, ${credit === 1 ? "one at a time" : `credit ${credit}`}`;

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
