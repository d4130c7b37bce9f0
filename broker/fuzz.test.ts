// A million messages, right, mutated and random, and whatever else may happen to a broker between
// them: it never throws, what it says is MDP, its account adds up, and its state stays within bounds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCall } from "../protocol/call.ts";
import type { Frame } from "../protocol/frame.ts";
import { decode, MDP_0_1 as dialect, encode } from "../protocol/mdp.ts";
import { Broker, type Effect } from "./broker.ts";

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

/** Numbers from 0 up to but not including `below`, the same ones for the same seed (mulberry32). */
function dice(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

type Dice = ReturnType<typeof dice>;

const pick = <Thing>(roll: Dice, things: readonly Thing[]): Thing =>
  things[roll(things.length)] as Thing;

const SERVICES = [..."abcdefghij", "mmi.service", "mmi.stats", "mmi.call", "mmi.x"].map((name) =>
  Buffer.from(name),
);
const OPTIONS = [{}, { ttl: 1 }, { ttl: 60_000 }, { ttl: 0 }, { id: "too short" }];
const BODIES = [[Buffer.from("hi")], [Buffer.alloc(0), Buffer.alloc(9)], [Buffer.alloc(2000)]];
const WORDS = [
  Buffer.alloc(0),
  Buffer.from("MDPC01"),
  Buffer.from("MDPW01"),
  Buffer.of(1),
  Buffer.of(3),
  Buffer.of(9),
  Buffer.from("mmi.error"),
  Buffer.alloc(10_001),
];

/** A message as a peer may well send it. */
function right(roll: Dice, sent: number): Frame[] {
  const worker = { header: "worker", dialect } as const;
  const body = pick(roll, BODIES);
  switch (roll(8)) {
    case 0: {
      const credit = pick(roll, [null, 1, 3, 65_535]);
      return encode({ ...worker, name: "READY", service: pick(roll, SERVICES), credit });
    }
    case 1:
      return encode({ ...worker, name: pick(roll, ["HEARTBEAT", "HEARTBEAT", "DISCONNECT"]) });
    case 2:
    case 3:
      return encode({ ...worker, name: "REPLY", client: clientFrame(roll, sent), body });
    default:
      return request(roll, body);
  }
}

/** Requests and calls, plain and through a proxy. */
function request(roll: Dice, body: Frame[]): Frame[] {
  const envelope = roll(2) === 0 ? [] : [Buffer.from("proxy"), Buffer.of(roll(256))];
  const service = pick(roll, SERVICES);
  if (roll(2) === 0) return encode({ header: "client", dialect, envelope, service, body });
  const id = `${roll(200)}`.padStart(16, "0");
  const options = roll(2) === 0 ? { id } : pick(roll, OPTIONS);
  const call = encodeCall({ service, options, body });
  const name = Buffer.from("mmi.call");
  return encode({ header: "client", dialect, envelope, service: name, body: call });
}

/** The id of a request sent lately, or another's, or a client's address. */
function clientFrame(roll: Dice, sent: number): Frame {
  if (roll(4) === 0) return Buffer.from(address(roll));
  const id = Buffer.alloc(16);
  LIFE.copy(id);
  id.writeUInt32BE(Math.max(0, sent - roll(100)), 12);
  return id;
}

function mutated(roll: Dice, frames: Frame[]): Frame[] {
  const mutant = [...frames];
  const at = roll(mutant.length + 1);
  const frame = Buffer.from(mutant[at] ?? "");
  if (frame.length > 0) frame[roll(frame.length)] = roll(256);
  switch (roll(5)) {
    case 0:
      return mutant.toSpliced(at, 1);
    case 1:
      return mutant.toSpliced(at, 0, pick(roll, WORDS));
    case 2:
      return mutant.toSpliced(at, 1, frame);
    case 3:
      return mutant.toSpliced(at, 1, frame.subarray(0, roll(frame.length + 1)));
    default:
      return [...mutant.slice(at), ...mutant.slice(0, at)];
  }
}

const random = (roll: Dice): Frame[] => Array.from({ length: roll(7) }, () => pick(roll, WORDS));

const address = (roll: Dice) => `peer${roll(PEERS)}`;

function message(roll: Dice, sent: number): Frame[] {
  const kind = roll(10);
  if (kind === 0) return random(roll);
  return kind <= 2 ? mutated(roll, right(roll, sent)) : right(roll, sent);
}

test(`a million messages (SEED=${SEED})`, () => {
  const roll = dice(SEED);
  let now = 0;
  const broker = new Broker(limits, heartbeat, LIFE, now);

  function check(effects: Effect[]) {
    for (const effect of effects) {
      if (effect.do === "send") assert.notEqual(decode(effect.frames).header, "invalid");
    }
    const { received, requeued: _, ...counts } = broker.counts();
    const { answered, refused, expired, quarantined, clientGone, queued, inFlight } = counts;
    const sum = answered + refused + expired + quarantined + clientGone + queued + inFlight;
    if (sum !== received) assert.fail(`${received} requests received, ${sum} accounted for`);
    if (Math.min(queued, inFlight) < 0) assert.fail(`${queued} queued, ${inFlight} in flight`);
    assert.ok(queued + inFlight <= limits.servicesMax * limits.queueMax);
    assert.ok(counts.services <= limits.servicesMax);
    assert.ok(counts.workers <= PEERS);
    return counts;
  }

  for (let sent = 0; sent < MESSAGES; sent += 1) {
    check(broker.receive(address(roll), message(roll, broker.counts().received), now));
    if (roll(50) === 0) check(broker.gone(address(roll), now));
    if (roll(20) > 0) continue;
    now += roll(2500) === 0 ? roll(10_000) : roll(100);
    check(broker.tick(now));
  }
  const counts = check([]);
  for (const [name, count] of Object.entries(counts)) assert.ok(count > 0, `${name}: none`);

  for (let peer = 0; peer < PEERS; peer += 1) check(broker.gone(`peer${peer}`, now));
  for (const end = now + 60_000; now < end; ) {
    now += 100;
    check(broker.tick(now));
  }
  const { queued, inFlight, services, workers } = broker.counts();
  assert.deepEqual([queued, inFlight, services, workers], [0, 0, 0, 0]);
});
