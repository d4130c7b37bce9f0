// Lets a test read as a dialog in the shorthand of 7/MDP. `sends` is one message to the broker, and
// `waits` is time that passes. Both return the messages from the broker, as "peer < COMMAND
// frames".

import type { CallOptions } from "../protocol/call-options.ts";
import { type Dialect, MDP_0_1 } from "../protocol/dialects.ts";
import type { Frame, PeerInfo } from "../protocol/frame.ts";
import type { Heartbeat } from "../protocol/heartbeat.ts";
import { type ClientCommand, decode, encode, type WorkerCommand } from "../protocol/mdp.ts";
import type { Pair } from "../protocol/pairs.ts";
import type { About, Feature } from "../protocol/ready.ts";
import { Broker } from "./broker.ts";
import type { Effect } from "./effects.ts";
import type { BrokerEvent } from "./events.ts";
import { driftOf, gaugesOf } from "./gauges.ts";
import type { Limits } from "./limits.ts";

/** The heartbeat of a dialog's broker. */
export const heartbeat: Heartbeat = { intervalMs: 1000, liveness: 3 };
/** The lease with this heartbeat. */
export const LEASE_MS = 3000;

/** The limits of a dialog's broker, unless the test overrides them. */
export const limits: Limits = {
  requestTtlMs: 60_000,
  deliveriesMax: 3,
  queueMax: 100,
  queueBytesMax: 1_000_000,
  servicesMax: 10,
  messageBytesMax: 100_000,
  outcomesMax: 100,
  outcomesBytesMax: 100_000,
  outcomesMs: 60_000,
  drainMs: 5000,
};

/** The incarnation of a dialog's broker. */
export const INCARNATION = Buffer.from("thislife");

const bytes = (value: string) => Buffer.from(value, "latin1");

/** The id of the broker's nth request: the client-address frame for a worker with credit. */
export function id(n: number): Frame {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(n));
  return Buffer.concat([INCARNATION, counter]);
}

/** The messages of a peer, in this dialect. */
export const inDialect = (dialect: Dialect) => ({
  ready: (service: string, credit: number | null = null, about?: About) =>
    encode({
      ...({ header: "worker", dialect, name: "READY", service: bytes(service), credit } as const),
      ...(about && { about }),
    }),
  partial: (client: string | Frame, ...body: string[]) =>
    encode({ ...answer(dialect, client, body), name: "PARTIAL" }),
  reply: (client: string | Frame, ...body: string[]) =>
    encode({ ...answer(dialect, client, body), name: "REPLY" }),
  pairs: (...pairs: Pair[]) => encode({ header: "worker", dialect, name: "HEARTBEAT", pairs }),
  heartbeatCommand: encode({ header: "worker", dialect, name: "HEARTBEAT" }),
  disconnect: encode({ header: "worker", dialect, name: "DISCONNECT" }),
  request: (service: string, ...body: string[]) =>
    encode({
      header: "client",
      dialect,
      name: "REQUEST",
      envelope: dialect.delimiter,
      service: bytes(service),
      body: body.map(bytes),
    }),
});

const answer = (dialect: Dialect, client: string | Frame, body: string[]) =>
  ({
    header: "worker",
    dialect,
    client: Buffer.from(client),
    body: body.map(bytes),
  }) as const;

/** The messages of a plain peer (7/MDP). */
export const { ready, reply, pairs, heartbeatCommand, disconnect, request } = inDialect(MDP_0_1);
/** The keys of a READY with these words. */
export const knowing = (...words: Feature[]): About => ({ name: null, knows: new Set(words) });
/** A REQUEST to mmi.call in this dialect. Options that are a string stand as they are. */
export const callIn =
  (dialect: Dialect) =>
  (service: string, options: CallOptions | string, ...body: string[]) =>
    inDialect(dialect).request(
      "mmi.call",
      service,
      typeof options === "string" ? options : JSON.stringify(options),
      ...body,
    );
/** A REQUEST to mmi.call of a plain client. */
export const call = callIn(MDP_0_1);
/** A REQUEST with an envelope, as behind a proxy. */
export const requestFrom = (envelope: string[], service: string, ...body: string[]) => [
  ...envelope.map(bytes),
  ...request(service, ...body),
];

/** A broker to talk with. After each message the account of its requests is checked. */
export function dialog(overrides: Partial<Limits> = {}, { detectsDisconnects = true } = {}) {
  let now = 0;
  const log: BrokerEvent[] = [];
  const broker = new Broker({ ...limits, ...overrides }, heartbeat, INCARNATION, now);
  if (detectsDisconnects) broker.detectsDisconnects();

  function sent(effects: Effect[]): string[] {
    checkConservation(broker);
    return effects.flatMap((effect) => {
      if (effect.do === "send") return [`${effect.to} < ${show(decode(effect.frames, true))}`];
      if (effect.do === "stopped") return ["stopped"];
      log.push(effect.entry);
      return [];
    });
  }

  /** Lets time pass in ticks, as main.ts does. */
  function passes(ms: number): string[] {
    const lines: string[] = [];
    for (const end = now + ms; now < end; ) {
      now = Math.min(end, now + heartbeat.intervalMs / 10);
      lines.push(...sent(broker.tick(now)));
    }
    return lines;
  }

  return {
    broker,
    log,
    sends: (peer: string, frames: Frame[], info?: PeerInfo) =>
      sent(broker.receive(peer, frames, now, info)),
    /** Bytes of a long message of this peer arrive. */
    sendsBytes: (peer: string) => broker.alive(peer, now),
    disconnects: (peer: string) => sent(broker.gone(peer, now)),
    waits: (ms: number) => passes(ms).filter((line) => !isHeartbeat(line)),
    heartbeats: (ms: number) => passes(ms).filter(isHeartbeat),
    /** Lets time pass without a tick. */
    passesSilently(ms: number) {
      now += ms;
    },
    drains: () => sent(broker.drain(now)),
    /** Lets time pass while the broker itself does not run, and ticks once after it. */
    freezes(ms: number) {
      now += ms;
      return sent(broker.tick(now)).filter((line) => !isHeartbeat(line));
    },
    events: (name: BrokerEvent["event"]) => log.filter(({ event }) => event === name),
  };
}

/** A HEARTBEAT without pairs. */
const isHeartbeat = (line: string) => / < HEARTBEAT( \(.+\))?$/.test(line);

function checkConservation(broker: Broker) {
  const { received, ...counts } = broker.counts();
  const { answered, refused, expired, quarantined, cancelled, clientGone, queued, inFlight } =
    counts;
  const sum =
    answered + refused + expired + quarantined + cancelled + clientGone + queued + inFlight;
  if (sum !== received) throw new Error(`${received} requests received, ${sum} accounted for`);
  if (counts.services > limits.servicesMax) return; // A test with so many services would take too long.
  const overview = broker.overview();
  const drift = driftOf(overview.stats, gaugesOf(overview, 0));
  if (drift !== 0) throw new Error(`a drift of ${drift} requests`);
}

function show(command: ReturnType<typeof decode>): string {
  if (command.header === "invalid")
    throw new Error(`the broker sent an invalid message: ${command.reason}`);
  return command.header === "client" ? showClient(command) : showWorker(command);
}

/** With the name of the command in 0.2, and without one in 0.1, which has no names. */
function showClient({ dialect, name, envelope, service, body }: ClientCommand): string {
  const named = dialect.clientCommands ? [bytes(name === "REPLY" ? "FINAL" : name)] : [];
  const own = envelope.slice(0, envelope.length - dialect.delimiter.length);
  return text([...own, ...named, service, ...body]);
}

function showWorker(command: WorkerCommand): string {
  const { dialect } = command;
  const words = wordsOf(command);
  return dialect === MDP_0_1 ? words : `${words} (${dialect.name})`;
}

function wordsOf(command: WorkerCommand): string {
  if (command.name === "REQUEST")
    return `REQUEST ${text([showId(command.client), ...command.body])}${showMetadata(command)}`;
  if (command.name !== "HEARTBEAT" || !command.pairs) return command.name;
  return ["HEARTBEAT", ...command.pairs.map(showPair)].join(" ");
}

function showId(client: Frame): Frame {
  const isId = client.length === 16 && client.subarray(0, 8).equals(INCARNATION);
  return isId ? bytes(`#${client.readBigUInt64BE(8)}`) : client;
}

/** The metadata without its empty parts: ` {"delivery":1,"msLeft":60000}`. */
function showMetadata({ metadata }: Extract<WorkerCommand, { name: "REQUEST" }>): string {
  const parts = Object.entries(metadata ?? {}).filter(
    ([, part]) => part !== null && part !== false,
  );
  return metadata ? ` ${JSON.stringify(Object.fromEntries(parts))}` : "";
}

function showPair(pair: Pair): string {
  if ("addresses" in pair) return `${pair.name} ${text(pair.addresses.map(showId))}`;
  return pair.name === "incarnation" ? `incarnation ${pair.incarnation}` : pair.name;
}

const text = (frames: Frame[]) => frames.map((frame) => frame.toString("latin1")).join(" ");
