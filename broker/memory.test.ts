// The memory of a broker: requests take little and leave nothing behind. Each measurement follows a
// garbage collection, and a first run of the same kind, so that it shows growth alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MDP_0_2 } from "../protocol/dialects.ts";
import type { Frame } from "../protocol/frame.ts";
import { Broker } from "./broker.ts";
import {
  call,
  dialog,
  INCARNATION,
  id,
  inDialect,
  limits,
  ready,
  reply,
  request,
  requestFrom,
} from "./dialog.testing.ts";
import type { Limits } from "./limits.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Memory in use after a collection, in bytes. A collection frees what the one before finalized. */
function used(): number {
  for (let times = 0; times < 3; times += 1) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external; // The memory of buffers is external.
}

const GROWTH_MAX = 2_000_000; // Two bytes per request.

test("a million requests to absent services: no growth", () => {
  const { sends, waits, disconnects, broker } = dialog({ servicesMax: 1000 });
  function flood(requests: number) {
    for (let nth = 0; nth < requests; nth += 1) {
      const service = `service ${nth}`;
      const client = `client ${nth % 1000}`;
      sends(client, nth % 2 === 0 ? request(service, "hi") : call(service, { ttl: 5000 }, "hi"));
      if (nth % 5000 === 0) waits(1000);
    }
    for (let client = 0; client < 1000; client += 1) disconnects(`client ${client}`);
    waits(60_000);
    assert.equal(broker.counts().services, 0);
  }
  flood(100_000);
  const before = used();
  flood(1_000_000);
  const growth = used() - before;
  assert.ok(growth < GROWTH_MAX, `it grew by ${growth} bytes`);
});

test("a hundred thousand answered calls: no growth beyond the remembered outcomes", () => {
  const { sends, waits, broker } = dialog({ outcomesMax: 100 });
  sends("w1", ready("echo", 1));
  let calls = 0;
  function ask(count: number) {
    for (let nth = 0; nth < count; nth += 1) {
      calls += 1;
      sends(`client ${calls}`, call("echo", { id: `${calls}`.padStart(16, "0") }, "hi"));
      sends("w1", reply(id(calls), "HI"));
    }
    waits(100);
  }
  ask(10_000);
  const before = used();
  ask(100_000);
  const growth = used() - before;
  assert.equal(broker.counts().answered, 110_000);
  assert.ok(growth < GROWTH_MAX, `it grew by ${growth} bytes`);
});

test("two hundred thousand requests that expire in the same moment: all settled", () => {
  const { sends, freezes, broker } = dialog({ queueMax: 200_000, queueBytesMax: 1e9 });
  for (let nth = 0; nth < 200_000; nth += 1) sends("c1", request("echo", "hi"));
  freezes(60_000);
  assert.equal(broker.counts().expired, 200_000);
});

/** Frames as from a transport: views of one block of 64 KiB. */
function received(frames: Frame[]): Frame[] {
  const chunk = Buffer.allocUnsafeSlow(65_536);
  Buffer.concat(frames).copy(chunk);
  let end = 0;
  return frames.map(({ length }) => {
    end += length;
    return chunk.subarray(end - length, end);
  });
}

function brokerWith(bounds: Partial<Limits>) {
  return new Broker({ ...limits, ...bounds }, { intervalMs: 1000, liveness: 3 }, INCARNATION, NOW);
}

/** The memory that each queued request takes, and that all leave behind once answered, in bytes. */
function costs(requests: number, make: (nth: number) => Frame[]) {
  const broker = brokerWith({ queueMax: requests, queueBytesMax: 2 ** 40, outcomesMax: 0 });
  const before = used();
  for (let nth = 0; nth < requests; nth += 1)
    broker.receive(`c${nth % 10}`, received(make(nth)), NOW);
  assert.equal(broker.counts().queued, requests);
  const each = (used() - before) / requests;
  broker.receive("w1", ready("echo", 1), NOW);
  for (let nth = 1; nth <= requests; nth += 1) broker.receive("w1", reply(id(nth), "HI"), NOW);
  assert.equal(broker.counts().answered, requests);
  return { each, left: used() - before };
}

const NOW = 0.5; // Like that of a clock, not a whole number.
const BODY = "x".repeat(64);
const plain = (nth: number) => requestFrom([`${nth}`.padStart(8)], "echo", BODY);
const withId = (nth: number) => call("echo", { id: `${nth}`.padStart(36), ttl: 60_000 }, BODY);

test("queued requests: at most 320 bytes each, 640 with an id, and none once answered", () => {
  costs(10_000, plain);
  costs(10_000, withId);
  for (const [make, eachMax] of [[plain, 320] as const, [withId, 640] as const]) {
    const { each, left } = costs(30_000, make);
    assert.ok(each <= eachMax, `each takes ${each} bytes`);
    assert.ok(left <= 10 * 30_000, `${left} bytes are left`);
  }
});

test("names of services, parts and outcomes: they keep no block of the transport alive", () => {
  const count = 1000;
  const many = { servicesMax: count, outcomesMax: count, outcomesBytesMax: 2 ** 30 };
  const broker = brokerWith({ ...many, queueBytesMax: 2 ** 30 });
  const worker = inDialect(MDP_0_2);
  const before = used();
  const says = (from: string, frames: Frame[]) => broker.receive(from, received(frames), NOW);
  const each = () => (used() - before) / count;
  for (let nth = 1; nth <= count; nth += 1) {
    says(`w${nth}`, worker.ready(`service ${nth}`, 1));
    says("c1", call(`service ${nth}`, { id: `${nth}`.padStart(36) }, BODY));
    if (nth % 2 === 0) says(`w${nth}`, worker.partial(id(nth), "a part"));
  }
  assert.ok(each() <= 10_000, `each call takes ${each()} bytes`);
  for (let nth = 1; nth <= count; nth += 1) says(`w${nth}`, worker.reply(id(nth), "the rest"));
  assert.equal(broker.counts().answered, count);
  assert.ok(each() <= 10_000, `each outcome takes ${each()} bytes`);
});
