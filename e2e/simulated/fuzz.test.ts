// Sends a broker a million messages (correct, mutated and random), lost peers and ticks. The broker
// must never throw, send valid MDP only, keep counts that add up, and stay within its bounds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Broker } from "../../broker/broker.ts";
import type { Effect } from "../../broker/effects.ts";
import { CALL, encodeCall } from "../../protocol/call.ts";
import { DIALECTS, type Dialect, MDP_0_1, streams } from "../../protocol/dialects.ts";
import type { Address, Frame } from "../../protocol/frame.ts";
import { encodeCancel } from "../../protocol/management.ts";
import { decode, encode } from "../../protocol/mdp.ts";
import { Random } from "./random.ts";

const MESSAGES = 1_000_000;
const SEED = Number(process.env.SEED ?? 1);

const limits = {
  requestTtlMs: 2000,
  deliveriesMax: 3,
  queueMax: 50,
  queueBytesMax: 200_000,
  servicesMax: 8,
  messageBytesMax: 10_000,
  outcomesMax: 100,
  outcomesBytesMax: 50_000,
  outcomesMs: 3000,
  drainMs: 1000,
};
const heartbeat = { intervalMs: 1000, liveness: 3 };
const LIFE = Buffer.from("thislife");
const PEERS = 60;

const SERVICES = [..."abcdefghij", "mmi.service", "mmi.stats", "mmi.call", "mmi.x"].map((name) =>
  Buffer.from(name),
);
const OPTIONS = [{}, { ttl: 1 }, { ttl: 60_000 }, { ttl: 0 }, { id: "too short" }];
const BODIES = [[Buffer.from("hi")], [Buffer.alloc(0), Buffer.alloc(9)], [Buffer.alloc(2000)]];
const WORDS = [
  Buffer.alloc(0),
  ...DIALECTS.flatMap(({ clientHeader, workerHeader }) => [clientHeader, workerHeader]),
  Buffer.from("READY"),
  Buffer.of(1),
  Buffer.of(2),
  Buffer.of(3),
  Buffer.of(9),
  Buffer.from("mmi.error"),
  Buffer.alloc(10_001),
];

/** The number of requests received, and the client frame that each peer got last. */
type SoFar = { received: number; given: Map<Address, Frame> };

/** Returns a correct message; each peer mostly keeps to one dialect. */
function right(random: Random, from: Address, so: SoFar): Frame[] {
  const own = DIALECTS[Number(from.slice("peer".length)) % DIALECTS.length] ?? MDP_0_1;
  const dialect = random.chance(1 / 50) ? random.pick(DIALECTS) : own;
  const worker = { header: "worker", dialect } as const;
  const body = random.pick(BODIES);
  switch (random.whole(0, 7)) {
    case 0: {
      const credit = random.pick([null, 1, 3, 65_535]);
      return encode({ ...worker, name: "READY", service: random.pick(SERVICES), credit });
    }
    case 1:
      return encode({ ...worker, name: random.pick(["HEARTBEAT", "HEARTBEAT", "DISCONNECT"]) });
    case 2:
    case 3: {
      const name = streams(dialect) && random.chance(2 / 3) ? "PARTIAL" : "REPLY";
      return encode({ ...worker, name, client: clientFrame(random, from, so), body });
    }
    default:
      return request(random, dialect, body);
  }
}

/** Returns a request or a call, plain or through a proxy. */
function request(random: Random, dialect: Dialect, body: Frame[]): Frame[] {
  const added = [Buffer.from("proxy"), Buffer.of(random.whole(0, 255))];
  const envelope = [...(random.chance(1 / 2) ? [] : added), ...dialect.delimiter];
  const asked = { header: "client", dialect, name: "REQUEST", envelope } as const;
  const service = random.pick(SERVICES);
  if (random.chance(1 / 2)) return encode({ ...asked, service, body });
  const id = `${random.whole(0, 199)}`.padStart(16, "0");
  if (random.chance(1 / 10))
    return encode({ ...asked, service: Buffer.from("mmi.cancel"), body: encodeCancel(id) });
  const options = random.chance(1 / 2) ? { id } : random.pick(OPTIONS);
  const call = encodeCall({ service, options, body });
  return encode({ ...asked, service: CALL, body: call });
}

/** Returns the client frame of this peer's last request, of a recent request, or of none. */
function clientFrame(random: Random, from: Address, { received, given }: SoFar): Frame {
  const its = given.get(from);
  if (its && random.chance(3 / 4)) return its;
  if (random.chance(1 / 4)) return Buffer.from(address(random));
  const id = Buffer.alloc(16);
  LIFE.copy(id);
  id.writeUInt32BE(Math.max(0, received - random.whole(0, 99)), 12);
  return id;
}

function mutated(random: Random, frames: Frame[]): Frame[] {
  const mutant = [...frames];
  const at = random.whole(0, mutant.length);
  const frame = Buffer.from(mutant[at] ?? "");
  if (frame.length > 0) frame[random.whole(0, frame.length - 1)] = random.whole(0, 255);
  switch (random.whole(0, 4)) {
    case 0:
      return mutant.toSpliced(at, 1);
    case 1:
      return mutant.toSpliced(at, 0, random.pick(WORDS));
    case 2:
      return mutant.toSpliced(at, 1, frame);
    case 3:
      return mutant.toSpliced(at, 1, frame.subarray(0, random.whole(0, frame.length)));
    default:
      return [...mutant.slice(at), ...mutant.slice(0, at)];
  }
}

const junk = (random: Random): Frame[] =>
  Array.from({ length: random.whole(0, 6) }, () => random.pick(WORDS));

const address = (random: Random) => `peer${random.whole(1, PEERS)}`;

function message(random: Random, from: Address, so: SoFar): Frame[] {
  const kind = random.whole(0, 9);
  if (kind === 0) return junk(random);
  return kind <= 2 ? mutated(random, right(random, from, so)) : right(random, from, so);
}

test(`a million messages: no throw, valid MDP, bounded state (SEED=${SEED})`, () => {
  const random = new Random(SEED);
  let now = 0;
  const broker = new Broker(limits, heartbeat, LIFE, now);
  const given = new Map<Address, Frame>();
  const said = new Set<string>();
  let brokenOff = 0;

  function check(effects: Effect[]) {
    for (const effect of effects) {
      if (effect.do === "log" && effect.entry.event === "worker.removed")
        brokenOff += effect.entry.brokenOff;
      if (effect.do !== "send") continue;
      const command = decode(effect.frames);
      if (command.header === "invalid") assert.fail(command.reason);
      if (command.header === "worker" && command.name === "REQUEST")
        given.set(effect.to, command.client);
      said.add(`${command.header} ${command.dialect.name} ${command.name}`);
    }
    const { received, requeued: _, ...counts } = broker.counts();
    const { answered, refused, expired, quarantined, cancelled, clientGone, queued, inFlight } =
      counts;
    const sum =
      answered + refused + expired + quarantined + cancelled + clientGone + queued + inFlight;
    if (sum !== received) assert.fail(`${received} requests received, ${sum} accounted for`);
    if (Math.min(queued, inFlight) < 0) assert.fail(`${queued} queued, ${inFlight} in flight`);
    assert.ok(queued + inFlight <= 2 * limits.servicesMax * limits.queueMax);
    assert.ok(counts.services <= 2 * limits.servicesMax);
    assert.ok(counts.workers <= PEERS);
    return counts;
  }

  for (let sent = 0; sent < MESSAGES; sent += 1) {
    const from = address(random);
    const { received } = broker.counts();
    check(broker.receive(from, message(random, from, { received, given }), now));
    if (random.chance(1 / 50)) check(broker.gone(address(random), now));
    if (random.chance(19 / 20)) continue;
    now += random.chance(1 / 2500) ? random.whole(0, 9999) : random.whole(0, 99);
    check(broker.tick(now));
  }
  const counts = check([]);
  for (const [name, count] of Object.entries(counts)) assert.ok(count > 0, `${name}: none`);
  assert.ok(brokenOff > 0);
  for (const { name } of DIALECTS)
    for (const command of ["REQUEST", "HEARTBEAT", "DISCONNECT"])
      assert.ok(said.has(`worker ${name} ${command}`), `no ${command} in ${name}`);
  for (const command of ["0.1 REQUEST", "0.2 PARTIAL", "0.2 REPLY"])
    assert.ok(said.has(`client ${command}`), command);

  for (let peer = 1; peer <= PEERS; peer += 1) check(broker.gone(`peer${peer}`, now));
  for (const end = now + 60_000; now < end; ) {
    now += 100;
    check(broker.tick(now));
  }
  const { queued, inFlight, services, workers } = broker.counts();
  assert.deepEqual([queued, inFlight, services, workers], [0, 0, 0, 0]);
});
