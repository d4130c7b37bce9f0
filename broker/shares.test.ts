// A worker that shares its slots: `limit` and `returned`, as it sends them when it drains.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_2 } from "../protocol/dialects.ts";
import {
  dialog,
  disconnect,
  id,
  inDialect,
  knowing,
  pairs,
  ready,
  reply,
  request,
} from "./dialog.testing.ts";

const [W1, W2, C1] = ["w1", "w2", "c1"];
const limit = (limit: number) => pairs({ name: "limit", limit });
const returned = (...sequences: number[]) =>
  pairs({ name: "returned", addresses: sequences.map(id) });

/** A broker whose worker w1 has the requests #1, #2 and #3 in flight. */
function scene() {
  const broker = dialog();
  broker.sends(W1, ready("echo", 4, knowing("shares", "meta")));
  for (const body of ["1", "2", "3"]) broker.sends(C1, request("echo", body));
  return broker;
}

test("limit below the requests in flight: no more requests, and those in flight go on", () => {
  const { sends } = scene();
  assert.deepEqual(sends(W1, limit(1)), []);
  assert.deepEqual(sends(C1, request("echo", "4")), []);
  assert.deepEqual(sends(W1, reply(id(1), "one")), ["c1 < echo one"]);
  assert.deepEqual(sends(W1, reply(id(2), "two")), ["c1 < echo two"]);
  assert.deepEqual(sends(W1, reply(id(3), "three")).length, 2);
});

test("limit 0: no more requests; a higher limit: queued requests at once", () => {
  const { sends } = scene();
  sends(W1, limit(0));
  for (const n of [1, 2, 3]) sends(W1, reply(id(n), "done"));
  assert.deepEqual(sends(C1, request("echo", "4")), []);
  assert.deepEqual(sends(C1, request("echo", "5")), []);
  assert.equal(sends(W1, limit(1)).length, 1);
});

test("returned requests: at the head of the queue in order of arrival, and this delivery does not count", () => {
  const { sends, broker } = scene();
  sends(W1, limit(0));
  sends(C1, request("echo", "4"));
  assert.deepEqual(sends(W1, returned(3, 2)), []);
  assert.equal(broker.counts().inFlight, 1);
  assert.deepEqual(sends(W2, ready("echo", 3, knowing("meta"))).slice(1), [
    'w2 < REQUEST #2 2 {"delivery":1,"msLeft":60000}',
    'w2 < REQUEST #3 3 {"delivery":1,"msLeft":60000}',
    'w2 < REQUEST #4 4 {"delivery":1,"msLeft":60000}',
  ]);
  assert.deepEqual(sends(W2, reply(id(2), "two")), ["c1 < echo two"]);
  assert.deepEqual(sends(W1, reply(id(1), "one")), ["c1 < echo one"]);
});

test("returned requests that the worker does not have: ignored; a free slot is used at once", () => {
  const { sends, broker } = scene();
  assert.deepEqual(sends(W1, returned(7, 7)), []);
  assert.equal(broker.counts().inFlight, 3);
  assert.deepEqual(sends(W1, returned(1, 1)), ['w1 < REQUEST #1 1 {"delivery":1,"msLeft":60000}']);
  assert.equal(broker.counts().requeued, 1);
});

test("returned request that has expired: its slot is free", () => {
  const { sends, waits, broker } = scene();
  for (let n = 0; n < 58; n += 1) {
    waits(1000);
    sends(W1, limit(4));
  }
  waits(2500);
  assert.equal(broker.counts().expired, 3);
  assert.deepEqual(sends(W1, returned(1)), []);
  assert.equal(sends(C1, request("echo", "4")).length, 1);
  assert.equal(sends(C1, request("echo", "5")).length, 1);
  assert.deepEqual(sends(C1, request("echo", "6")), []);
});

test("returned request whose client has a part of the reply: broken off", () => {
  const { sends } = dialog();
  const worker = inDialect(MDP_0_2);
  sends(W1, worker.ready("echo", 4, knowing("shares")));
  sends(C1, inDialect(MDP_0_2).request("echo", "1"));
  sends(W1, worker.partial(id(1), "part"));
  const lines = sends(W1, worker.pairs({ name: "returned", addresses: [id(1)] }));
  assert.equal(lines.length, 1);
  assert.match(String(lines), /^c1 < FINAL echo .* mmi\.error 50\d$/);
  assert.deepEqual(sends(W1, disconnect), []);
});
