// Progress: from the pairs of a worker to the caller, at most once per 100 ms.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_2 } from "../protocol/dialects.ts";
import {
  call,
  callIn,
  dialog,
  id,
  inDialect,
  knowing,
  pairs,
  ready,
  reply,
  request,
  requestFrom,
} from "./dialog.testing.ts";

const [W1, W2, C1, C2] = ["w1", "w2", "c1", "c2"];
const ID = "0123456789abcdef";
const WANTED = { id: ID, progress: true } as const;

const progress = (n: number, value: string) =>
  pairs({ name: "progress", address: id(n), value: Buffer.from(value) });

/** A broker whose worker w1 has the call #1 of c1 in flight. */
function scene(options: Parameters<typeof call>[1] = WANTED, ask = call) {
  const broker = dialog();
  broker.sends(W1, ready("echo", 4, knowing("progress")));
  broker.sends(C1, ask("echo", options, "hello"));
  return broker;
}

test("progress of a call that wants it: 102, and then the last status", () => {
  const { sends } = scene();
  assert.deepEqual(sends(W1, progress(1, "50%")), ["c1 < mmi.call 102 50%"]);
  assert.deepEqual(sends(W1, reply(id(1), "HELLO")), ["c1 < mmi.call 200 HELLO"]);
});

test("progress to a client of 0.2: PARTIAL, and it is no part of the reply", () => {
  const { sends, disconnects } = scene(WANTED, callIn(MDP_0_2));
  assert.deepEqual(sends(W1, progress(1, "50%")), ["c1 < PARTIAL mmi.call 102 50%"]);
  disconnects(W1); // It may be delivered again.
  assert.deepEqual(sends(W2, ready("echo", 1)), ["w2 < REQUEST #1 hello"]);
  assert.deepEqual(sends(W2, reply(id(1), "HELLO")), ["c1 < FINAL mmi.call 200 HELLO"]);
  assert.deepEqual(sends(C2, call("echo", { id: ID }, "hello")), ["c2 < mmi.call 200 HELLO"]);
});

test("progress in 0.1: under the envelope of the call", () => {
  const { sends } = dialog();
  sends(W1, ready("echo", 4, knowing("progress")));
  sends(C1, requestFrom(["7"], "mmi.call", "echo", JSON.stringify(WANTED), "hello"));
  assert.deepEqual(sends(W1, progress(1, "")), ["c1 < 7 mmi.call 102 "]);
});

test("call without the option, and plain request: no progress", () => {
  assert.deepEqual(scene({ id: ID }).sends(W1, progress(1, "50%")), []);
  const { sends } = dialog();
  sends(W1, ready("echo", 4, knowing("progress")));
  sends(C1, request("echo", "hello"));
  assert.deepEqual(sends(W1, progress(1, "50%")), []);
});

test("progress within 100 ms: the latest one is sent when it is due", () => {
  const { sends, waits } = scene();
  sends(W1, progress(1, "1%"));
  assert.deepEqual(sends(W1, progress(1, "2%")), []);
  assert.deepEqual(sends(W1, progress(1, "3%")), []);
  assert.deepEqual(waits(99), []);
  assert.deepEqual(waits(1), ["c1 < mmi.call 102 3%"]);
  assert.deepEqual(waits(1000), []);
});

test("progress that is due replaces a value that waits", () => {
  const { sends, waits, passesSilently } = scene();
  sends(W1, progress(1, "1%"));
  sends(W1, progress(1, "2%"));
  passesSilently(100);
  assert.deepEqual(sends(W1, progress(1, "3%")), ["c1 < mmi.call 102 3%"]);
  assert.deepEqual(waits(1000), []);
});

test("last status: nothing after it, also no value that waits", () => {
  const { sends, waits, broker } = scene();
  sends(W1, progress(1, "1%"));
  sends(W1, progress(1, "2%"));
  sends(W1, reply(id(1), "HELLO"));
  assert.deepEqual(waits(1000), []);
  assert.deepEqual(sends(W1, progress(1, "3%")), []);
  assert.equal(broker.overview().requests.weight, 0);
});

test("expired call whose worker goes on: no progress", () => {
  const { sends, waits, broker } = scene({ ...WANTED, ttl: 500 });
  assert.deepEqual(waits(500), ["c1 < mmi.call 408 expired in flight"]);
  assert.deepEqual(sends(W1, progress(1, "50%")), []);
  assert.deepEqual(sends(W1, progress(1, "60%")), []);
  assert.equal(broker.overview().requests.weight, 0);
});

test("progress of a request that the worker does not have: ignored", () => {
  const { sends } = scene();
  sends(W2, ready("echo", 4, knowing("progress")));
  assert.deepEqual(sends(W2, progress(1, "50%")), []);
  assert.deepEqual(sends(W1, progress(2, "50%")), []);
  const stranger = { name: "progress", address: Buffer.alloc(16), value: Buffer.alloc(0) } as const;
  assert.deepEqual(sends(W1, pairs(stranger)), []);
});

test("retry: progress goes to the caller that asked last, if that one wants it", () => {
  const { sends, waits } = scene();
  sends(C2, call("echo", WANTED, "hello"));
  assert.deepEqual(sends(W1, progress(1, "50%")), ["c2 < mmi.call 102 50%"]);
  sends(W1, progress(1, "60%"));
  sends(C2, call("echo", { id: ID }, "hello"));
  assert.deepEqual(waits(1000), []);
  assert.deepEqual(sends(W1, progress(1, "70%")), []);
});

test("retry that wants progress, after a call that did not: gets it, and loses it with its connection", () => {
  const { sends, disconnects, waits } = scene({ id: ID });
  sends(C2, call("echo", WANTED, "hello"));
  assert.deepEqual(sends(W1, progress(1, "50%")), ["c2 < mmi.call 102 50%"]);
  disconnects(C2);
  waits(100);
  assert.deepEqual(sends(W1, progress(1, "60%")), []);
  assert.deepEqual(sends(W1, reply(id(1), "HELLO")), ["c1 < mmi.call 200 HELLO"]);
});

test("caller that disconnected: no progress until a retry", () => {
  const { sends, disconnects, waits } = scene();
  disconnects(C1);
  assert.deepEqual(sends(W1, progress(1, "50%")), []);
  sends(C2, call("echo", WANTED, "hello"));
  assert.deepEqual(waits(1000), []);
  assert.deepEqual(sends(W1, progress(1, "60%")), ["c2 < mmi.call 102 60%"]);
});

test("values that wait: they count towards queueBytesMax, and one without room is dropped", () => {
  const { sends, waits, broker } = scene();
  const { requests } = broker.overview();
  const before = requests.weight;
  sends(W1, progress(1, "1%"));
  assert.equal(requests.weight, before);
  sends(W1, progress(1, "22%"));
  assert.equal(requests.weight, before + 64 + 3);
  sends(W1, progress(1, "3%"));
  assert.equal(requests.weight, before + 64 + 2);
  waits(100);
  assert.equal(requests.weight, before);

  const full = dialog({ queueBytesMax: 2000 });
  full.sends(W1, ready("echo", 4, knowing("progress")));
  full.sends(C1, call("echo", WANTED, "hello"));
  full.sends(W1, progress(1, "1%"));
  full.sends(W1, progress(1, "x".repeat(3000)));
  assert.deepEqual(full.waits(1000), []);
});

test("newest value without room: the one that waits is not sent either", () => {
  const { sends, waits } = dialog({ queueBytesMax: 3000 });
  sends(W1, ready("echo", 4, knowing("progress")));
  sends(C1, call("echo", WANTED, "hello"));
  for (const value of ["1%", "2%", "x".repeat(4000)]) sends(W1, progress(1, value));
  assert.deepEqual(waits(100), []);
});

test("value that replaces a waiting one: needs room for the difference only", () => {
  const { sends, waits } = dialog({ queueBytesMax: 4000 });
  sends(W1, ready("echo", 4, knowing("progress")));
  sends(C1, call("echo", WANTED, "hello"));
  const [old, latest] = ["1".repeat(2000), "2".repeat(2000)];
  for (const value of ["0", old, latest]) sends(W1, progress(1, value));
  assert.deepEqual(waits(100), [`c1 < mmi.call 102 ${latest}`]);
});

test("progress in the other dialects of workers: as in 0.1", () => {
  const worker = inDialect(MDP_0_2);
  const { sends } = dialog();
  sends(W1, worker.ready("echo", 4, knowing("progress")));
  sends(C1, call("echo", WANTED, "hello"));
  const pair = { name: "progress", address: id(1), value: Buffer.from("50%") } as const;
  assert.deepEqual(sends(W1, worker.pairs(pair)), ["c1 < mmi.call 102 50%"]);
});
