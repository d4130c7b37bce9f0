// What is measured: the parts of the page, their settings, and who takes part in each.

import type { Contender, Setting } from "./contender.ts";
import { measureDepth } from "./depth.ts";
import { measureIdle } from "./idle.ts";
import * as native from "./native/contenders.ts";
import {
  broker,
  endpointOf,
  flood,
  naive,
  shipped,
  type TransportName,
  thin,
  thinWorkers,
} from "./ours/contenders.ts";
import type { Part, Subject } from "./part.ts";
import { PEERS } from "./peers/contenders.ts";
import { measure } from "./run.ts";

/** The names that goals.ts finds its figures by. */
export const USER = "What a user sees";
export const BODIES = "Larger bodies";
export const ALONE = "The broker alone";
export const ON_LIBZMQ = "The broker, its peers on libzmq";
export const GROWTH = "Growth";
export const DEPTH = "A long queue";
export const IDLE = "Doing nothing";
export const AT_64 = "64 outstanding";
export const AT_1 = "1 outstanding";
export const STRICT = "64 outstanding, 4 workers, one at a time";
export const NATS = "NATS request()";
export const NATS_THIN = "NATS thin client";
export const IDLE_WORKERS = "1,000 idle workers";
export const ours = (transport: TransportName) => `ours, ${transport}`;
export const queued = (requests: number) => `${requests.toLocaleString("en-US")} requests`;

type Effort = Pick<Setting, "warmupSeconds" | "seconds"> & { rounds: number };

const FULL: Effort = { rounds: 3, warmupSeconds: 2, seconds: 1.5 };
const QUICK: Effort = { rounds: 1, warmupSeconds: 0.8, seconds: 0.7 };

/** All parts; `quick` leaves out settings, rounds and time, and so trust. */
export function plan(quick: boolean): Part[] {
  const effort = quick ? QUICK : FULL;
  return [
    user(effort, quick),
    bodies(effort, quick),
    alone(effort, quick),
    onLibzmq(effort, quick),
    ...["workers", "services", "clients"].map((what) => growth(what, effort, quick)),
    depth(quick),
    idle(quick),
  ];
}

function user(effort: Effort, quick: boolean): Part {
  const settings = {
    [AT_1]: setting(effort, { outstanding: 1 }),
    [AT_64]: setting(effort, {}),
    "1,000 outstanding": setting(effort, { outstanding: 1000 }),
  };
  const thinOnes = quick ? [thin("zmtp", 64)] : each(thin);
  return {
    title: USER,
    about:
      "One client process asks for 64 bytes, which four worker processes echo: " +
      "client, broker and workers as each system's users write them.",
    view: "load",
    reference: NATS,
    rounds: effort.rounds,
    columns: quick ? [AT_1, AT_64] : Object.keys(settings),
    subjects: loaded(settings, [...each(shipped), ...thinOnes, naive, ...PEERS]),
  };
}

function bodies(effort: Effort, quick: boolean): Part {
  const settings = {
    "64 B": setting(effort, {}),
    "1 KiB": setting(effort, { bytes: 2 ** 10 }),
    "64 KiB": setting(effort, { bytes: 2 ** 16 }),
    "1 MiB, 16 outstanding": setting(effort, { bytes: 2 ** 20, outstanding: 16 }),
  };
  const peers = [NATS, NATS_THIN, "Redis lists"];
  const others = PEERS.filter(({ name }) => peers.includes(name));
  const mine = [shipped("zmtp", 64), shipped("libzmq", 64), thin("zmtp", 64)];
  return {
    title: BODIES,
    about: `As above with ${AT_64}, and larger bodies both ways.`,
    view: "load",
    reference: NATS,
    rounds: quick ? 1 : 2,
    columns: quick ? ["64 KiB"] : Object.keys(settings),
    subjects: loaded(settings, [...mine, ...others]),
  };
}

function alone(effort: Effort, quick: boolean): Part {
  const settings = {
    [STRICT]: setting(effort, {}),
    "64 outstanding, 4 workers, credit 16": setting(effort, { credit: 16 }),
    "1,000 outstanding, 64 workers, one at a time": setting(effort, {
      outstanding: 1000,
      workers: 64,
      packed: true,
    }),
    "1,000 outstanding, 4 workers, credit 250": setting(effort, {
      outstanding: 1000,
      credit: 250,
    }),
  };
  const { guideBroker, plainBroker, pythonBroker, zmqProxy, netEcho } = native;
  const strict = new Set([guideBroker, pythonBroker].map(({ name }) => name));
  const contenders = [
    ...[withNativePeers("zmtp"), withNativePeers("libzmq")],
    ...[guideBroker, plainBroker, pythonBroker, zmqProxy, netEcho],
  ];
  const subjects = loaded(settings, contenders).map((subject) => ({
    ...subject,
    // They know no credit, and what their workers do with one would not be theirs.
    takesPart: (column: string) => !(strict.has(subject.name) && column.includes("credit")),
  }));
  return {
    title: ALONE,
    about:
      "Load and workers in C, the same for each broker. That the load is not the limit is shown by " +
      `"${zmqProxy.name}" and "${netEcho.name}", which decide nothing, and by how little of a core ` +
      "the load takes.",
    view: "load",
    reference: plainBroker.name,
    rounds: quick ? 1 : 2,
    columns: quick ? Object.keys(settings).slice(0, 2) : Object.keys(settings),
    subjects,
  };
}

function onLibzmq(effort: Effort, quick: boolean): Part {
  const settings = {
    [STRICT]: setting(effort, {}),
    "1 outstanding, 1 worker": setting(effort, { outstanding: 1, workers: 1 }),
  };
  const { guideBroker, plainBroker, pythonBroker } = native;
  const brokers = [withNativePeers("zmtp"), withNativePeers("libzmq"), guideBroker, plainBroker];
  return {
    title: ON_LIBZMQ,
    about:
      "As any peer in another language has it: load and workers in C, on libzmq. They cost more " +
      "than those above, and share the cores with the broker.",
    view: "load",
    reference: guideBroker.name,
    rounds: effort.rounds,
    columns: quick ? [STRICT] : Object.keys(settings),
    subjects: loaded(settings, [...brokers, pythonBroker].map(native.onLibzmq)),
  };
}

function growth(what: string, effort: Effort, quick: boolean): Part {
  const numbers = quick ? [1, 100] : [1, 10, 100, 1000];
  const busy = { outstanding: 1000, packed: true };
  const others: Record<string, Partial<Setting>> = {
    workers: busy,
    services: { ...busy, workers: 1000 },
    clients: { ...busy, workers: 16 },
  };
  const settings = Object.fromEntries(
    numbers.map((number) => [
      number.toLocaleString("en-US"),
      setting(effort, { ...others[what], [what]: number }),
    ]),
  );
  const { guideBroker, plainBroker } = native;
  return {
    title: `${GROWTH}: ${what}`,
    about:
      `The broker's CPU time a request while the number of ${what} grows, as a multiple of what ` +
      "it is with one; load and workers in C, 1,000 outstanding, one at a time.",
    view: "growth",
    reference: null,
    rounds: quick ? 1 : 2,
    columns: Object.keys(settings),
    subjects: loaded(settings, [withNativePeers("zmtp"), guideBroker, plainBroker]),
  };
}

function depth(quick: boolean): Part {
  const depths = quick ? [100_000] : [1000, 100_000, 1_000_000];
  const byName = Object.fromEntries(depths.map((requests) => [queued(requests), requests]));
  const subjects = [
    ...(["zmtp", "libzmq"] as const).map((transport) => ({
      contender: withNativePeers(transport),
      peers: { transport, credit: 64 },
    })),
    ...[native.guideBroker, native.plainBroker].map((contender) => ({
      contender,
      peers: { transport: "zmtp" as const, credit: 1 },
    })),
  ];
  return {
    title: DEPTH,
    about:
      "Requests of 64 bytes queue up while there is no worker, and then four come. Memory is what " +
      "is resident: before, with the queue full, and at most half a minute after it is empty.",
    view: "depth",
    reference: null,
    rounds: 1,
    columns: Object.keys(byName),
    subjects: subjects.map(({ contender, peers }) => ({
      name: contender.name,
      missing: contender.missing,
      takesPart: () => true,
      run: (column) => dive(contender, peers, byName[column] as number, quick ? 5 : 30),
    })),
  };
}

function dive(
  contender: Contender,
  { transport, credit }: { transport: TransportName; credit: number },
  requests: number,
  settleSeconds: number,
) {
  const peers = setting(QUICK, { credit });
  return measureDepth(
    (place) => ({
      brokers: contender.programs(peers, place).filter(({ role }) => role === "broker"),
      workers: thinWorkers(transport, place.port, peers),
      flood: flood(transport, place.port, requests),
    }),
    { requests, settleSeconds },
  );
}

function idle(quick: boolean): Part {
  const workers = setting(QUICK, { workers: 1000, packed: true });
  const subject = (transport: TransportName): Subject => ({
    name: ours(transport),
    missing: () => null,
    takesPart: () => true,
    run: () =>
      measureIdle(
        ({ port }) => [broker(transport, port), ...thinWorkers(transport, port, workers)],
        quick ? { restSeconds: 3, seconds: 8 } : { restSeconds: 30, seconds: 30 },
      ),
  });
  return {
    title: IDLE,
    about: "1,000 workers that only beat, each 2.5 s, and are sent as many heartbeats.",
    view: "idle",
    reference: null,
    rounds: 1,
    columns: [IDLE_WORKERS],
    subjects: [subject("zmtp"), subject("libzmq")],
  };
}

const setting = ({ warmupSeconds, seconds }: Effort, changed: Partial<Setting>): Setting => ({
  clients: 1,
  outstanding: 64,
  bytes: 64,
  workers: 4,
  packed: false,
  services: 1,
  credit: 1,
  warmupSeconds,
  seconds,
  ...changed,
});

const TRANSPORTS = ["zmtp", "libzmq"] as const;
const CREDITS = [64, 1];

const each = (make: (transport: TransportName, credit: number) => Contender) =>
  TRANSPORTS.flatMap((transport) => CREDITS.map((credit) => make(transport, credit)));

/** Our broker with the load and the workers that all brokers are compared with. */
function withNativePeers(transport: TransportName): Contender {
  return {
    name: ours(transport),
    missing: native.missing,
    programs(setting, { port }) {
      const at = endpointOf(port);
      const workers = native.nativeWorkers(setting, at);
      return [broker(transport, port), ...workers, native.nativeLoad(setting, at)];
    },
  };
}

const loaded = (settings: Record<string, Setting>, contenders: Contender[]): Subject[] =>
  contenders.map((contender) => ({
    name: contender.name,
    missing: contender.missing,
    takesPart: () => true,
    run: (column) => measure(contender, settings[column] as Setting),
  }));
