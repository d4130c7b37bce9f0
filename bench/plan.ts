// The sections of the page: settings, and the systems that take part in each.

import { ALTERNATIVES } from "./alternatives/alternative-systems.ts";
import { runIdle } from "./idle-run.ts";
import { runLoad } from "./load-run.ts";
import * as native from "./native/native-systems.ts";
import {
  bareWorkers,
  broker,
  endpointOf,
  ours,
  queueFlood,
  type TransportName,
  withBarePeers,
  withClientLibrary,
  zeromqExample,
} from "./ours/our-systems.ts";
import { runQueueDepth } from "./queue-depth-run.ts";
import type { Entry, Section } from "./section.ts";
import type { Setting, System } from "./system.ts";

// goals.ts and the summary of the page look figures up by these labels.
export const END_TO_END = "End to end";
export const BODIES = "Larger bodies";
export const ALONE = "The broker alone";
export const ON_LIBZMQ = "The broker with libzmq clients and workers";
export const GROWTH = "Growth";
export const DEPTH = "Queue depth";
export const IDLE = "Idle workers";
export const AT_64 = "64 outstanding";
export const AT_1 = "1 outstanding";
export const ONE_AT_A_TIME = "64 outstanding, 4 workers, one at a time";
export const NATS = "NATS request()";
export const NATS_BARE = "NATS bare client";
export const IDLE_WORKERS = "1,000 idle workers";
export const queued = (requests: number) => `${requests.toLocaleString("en-US")} requests`;

type Effort = Pick<Setting, "warmupSeconds" | "seconds"> & { rounds: number };

const FULL: Effort = { rounds: 3, warmupSeconds: 2, seconds: 1.5 };
const QUICK: Effort = { rounds: 1, warmupSeconds: 0.8, seconds: 0.7 };

/** All sections. `quick` has fewer settings, fewer rounds and shorter runs: trust it less. */
export function plan(quick: boolean): Section[] {
  const effort = quick ? QUICK : FULL;
  return [
    endToEnd(effort, quick),
    bodies(effort, quick),
    alone(effort, quick),
    onLibzmq(effort, quick),
    ...["workers", "services", "clients"].map((counted) => growth(counted, effort, quick)),
    depth(quick),
    idle(quick),
  ];
}

function endToEnd(effort: Effort, quick: boolean): Section {
  const settings = {
    [AT_1]: setting(effort, { outstanding: 1 }),
    [AT_64]: setting(effort, {}),
    "1,000 outstanding": setting(effort, { outstanding: 1000 }),
  };
  const bare = quick ? [withBarePeers("zmtp", 64)] : each(withBarePeers);
  return {
    title: END_TO_END,
    about:
      "One client process sends requests of 64 bytes, and four worker processes echo them. " +
      "Client and workers use the client library of each system, except in the rows with bare peers " +
      "or a bare client.",
    view: "load",
    reference: NATS,
    rounds: effort.rounds,
    columns: quick ? [AT_1, AT_64] : Object.keys(settings),
    entries: loaded(settings, [
      ...each(withClientLibrary),
      ...bare,
      zeromqExample,
      ...ALTERNATIVES,
    ]),
  };
}

function bodies(effort: Effort, quick: boolean): Section {
  const settings = {
    "64 B": setting(effort, {}),
    "1 KiB": setting(effort, { bytes: 2 ** 10 }),
    "64 KiB": setting(effort, { bytes: 2 ** 16 }),
    "1 MiB, 16 outstanding": setting(effort, { bytes: 2 ** 20, outstanding: 16 }),
  };
  const names = [NATS, NATS_BARE, "Redis lists"];
  const alternatives = ALTERNATIVES.filter(({ name }) => names.includes(name));
  const mine = [
    withClientLibrary("zmtp", 64),
    withClientLibrary("libzmq", 64),
    withBarePeers("zmtp", 64),
  ];
  return {
    title: BODIES,
    about: `As above with ${AT_64}, and larger bodies both ways.`,
    view: "load",
    reference: NATS,
    rounds: quick ? 1 : 2,
    columns: quick ? ["64 KiB"] : Object.keys(settings),
    entries: loaded(settings, [...mine, ...alternatives]),
  };
}

function alone(effort: Effort, quick: boolean): Section {
  const settings = {
    [ONE_AT_A_TIME]: setting(effort, {}),
    "64 outstanding, 4 workers, credit 16": setting(effort, { credit: 16 }),
    "1,000 outstanding, 64 workers, one at a time": setting(effort, {
      outstanding: 1000,
      workers: 64,
      inOneProcess: true,
    }),
    "1,000 outstanding, 4 workers, credit 250": setting(effort, {
      outstanding: 1000,
      credit: 250,
    }),
  };
  const { guideBroker, plainBroker, pythonBroker, zmqProxy, netEcho } = native;
  const withoutCredit = new Set([guideBroker, pythonBroker].map(({ name }) => name));
  const systems = [
    ...[withNativePeers("zmtp"), withNativePeers("libzmq")],
    ...[guideBroker, plainBroker, pythonBroker, zmqProxy, netEcho],
  ];
  const entries = loaded(settings, systems).map((entry) => ({
    ...entry,
    takesPart: (column: string) => !(withoutCredit.has(entry.name) && column.includes("credit")),
  }));
  return {
    title: ALONE,
    about:
      "Load and workers are in C, the same for each broker. " +
      `"${zmqProxy.name}" and "${netEcho.name}" decide nothing: they show that the load is not the ` +
      "limit. So does the small share of a core that the load uses.",
    view: "load",
    reference: plainBroker.name,
    rounds: quick ? 1 : 2,
    columns: quick ? Object.keys(settings).slice(0, 2) : Object.keys(settings),
    entries,
  };
}

function onLibzmq(effort: Effort, quick: boolean): Section {
  const settings = {
    [ONE_AT_A_TIME]: setting(effort, {}),
    "1 outstanding, 1 worker": setting(effort, { outstanding: 1, workers: 1 }),
  };
  const { guideBroker, plainBroker, pythonBroker } = native;
  const brokers = [withNativePeers("zmtp"), withNativePeers("libzmq"), guideBroker, plainBroker];
  return {
    title: ON_LIBZMQ,
    about:
      "Load and workers are in C on libzmq, as in most other languages. They use more CPU time " +
      "than those of the section above, and share the cores with the broker.",
    view: "load",
    reference: guideBroker.name,
    rounds: effort.rounds,
    columns: quick ? [ONE_AT_A_TIME] : Object.keys(settings),
    entries: loaded(settings, [...brokers, pythonBroker].map(native.onLibzmq)),
  };
}

function growth(counted: string, effort: Effort, quick: boolean): Section {
  const numbers = quick ? [1, 100] : [1, 10, 100, 1000];
  const busy = { outstanding: 1000, inOneProcess: true };
  const others: Record<string, Partial<Setting>> = {
    workers: busy,
    services: { ...busy, workers: 1000 },
    clients: { ...busy, workers: 16 },
  };
  const settings = Object.fromEntries(
    numbers.map((number) => [
      number.toLocaleString("en-US"),
      setting(effort, { ...others[counted], [counted]: number }),
    ]),
  );
  const { guideBroker, plainBroker } = native;
  return {
    title: `${GROWTH}: ${counted}`,
    about:
      `The broker's CPU time per request with more and more ${counted}, relative to one. ` +
      "Load and workers are in C, with 1,000 outstanding, one at a time.",
    view: "growth",
    reference: null,
    rounds: quick ? 1 : 2,
    columns: Object.keys(settings),
    entries: loaded(settings, [withNativePeers("zmtp"), guideBroker, plainBroker]),
  };
}

function depth(quick: boolean): Section {
  const depths = quick ? [100_000] : [1000, 100_000, 1_000_000];
  const byName = Object.fromEntries(depths.map((requests) => [queued(requests), requests]));
  const systems = [
    ...(["zmtp", "libzmq"] as const).map((transport) => ({
      system: withNativePeers(transport),
      peers: { transport, credit: 64 },
    })),
    ...[native.guideBroker, native.plainBroker].map((system) => ({
      system,
      peers: { transport: "zmtp" as const, credit: 1 },
    })),
  ];
  return {
    title: DEPTH,
    about:
      "Requests of 64 bytes wait in the queue while there is no worker; then four workers start. " +
      "Memory is resident memory: before, with the queue full, and within half a minute after the " +
      "queue is empty.",
    view: "depth",
    reference: null,
    rounds: 1,
    columns: Object.keys(byName),
    entries: systems.map(({ system, peers }) => ({
      name: system.name,
      missing: system.missing,
      takesPart: () => true,
      run: (column) => fillAndDrain(system, peers, byName[column] as number, quick ? 5 : 30),
    })),
  };
}

function fillAndDrain(
  system: System,
  { transport, credit }: { transport: TransportName; credit: number },
  requests: number,
  settleSeconds: number,
) {
  const peers = setting(QUICK, { credit });
  return runQueueDepth(
    (workspace) => ({
      brokers: system.programs(peers, workspace).filter(({ role }) => role === "broker"),
      workers: bareWorkers(transport, workspace.port, peers),
      flood: queueFlood(transport, workspace.port, requests),
    }),
    { requests, settleSeconds },
  );
}

function idle(quick: boolean): Section {
  const workers = setting(QUICK, { workers: 1000, inOneProcess: true });
  const entryOf = (transport: TransportName): Entry => ({
    name: ours(transport),
    missing: () => null,
    takesPart: () => true,
    run: () =>
      runIdle(
        ({ port }) => [broker(transport, port), ...bareWorkers(transport, port, workers)],
        quick ? { restSeconds: 3, seconds: 8 } : { restSeconds: 30, seconds: 30 },
      ),
  });
  return {
    title: IDLE,
    about: "1,000 workers only send a heartbeat every 2.5 s, and receive as many.",
    view: "idle",
    reference: null,
    rounds: 1,
    columns: [IDLE_WORKERS],
    entries: [entryOf("zmtp"), entryOf("libzmq")],
  };
}

const setting = ({ warmupSeconds, seconds }: Effort, changed: Partial<Setting>): Setting => ({
  clients: 1,
  outstanding: 64,
  bytes: 64,
  workers: 4,
  inOneProcess: false,
  services: 1,
  credit: 1,
  warmupSeconds,
  seconds,
  ...changed,
});

const TRANSPORTS = ["zmtp", "libzmq"] as const;
const CREDITS = [64, 1];

const each = (make: (transport: TransportName, credit: number) => System) =>
  TRANSPORTS.flatMap((transport) => CREDITS.map((credit) => make(transport, credit)));

/** This project's broker, with the load and the workers in C that all brokers are compared with. */
function withNativePeers(transport: TransportName): System {
  return {
    name: ours(transport),
    missing: native.missing,
    programs(setting, { port }) {
      const endpoint = endpointOf(port);
      const workers = native.nativeWorkers(setting, endpoint);
      return [broker(transport, port), ...workers, native.nativeLoad(setting, endpoint)];
    },
  };
}

const loaded = (settings: Record<string, Setting>, systems: System[]): Entry[] =>
  systems.map((system) => ({
    name: system.name,
    missing: system.missing,
    takesPart: () => true,
    run: (column) => runLoad(system, settings[column] as Setting),
  }));
