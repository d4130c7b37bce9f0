// The end of a broker: it takes nothing new, finishes what it can, and leaves nobody in the dark.

import assert from "node:assert/strict";
import { test } from "node:test";
import { call, dialog, id, LEASE_MS, ready, reply, request } from "./dialog.testing.ts";

const [W1, W2, W3] = ["w1", "w2", "w3"];
const [C1, C2] = ["c1", "c2"];
const ID = "0123456789abcdef";
const NO = "mmi.call 503 the broker is shutting down";

test("with nothing in flight every worker is told to look for the next broker, and it stops", () => {
  const { says, drains, waits, events } = dialog();
  says(W1, ready("echo"));
  says(W2, ready("math", 4));
  assert.deepEqual(drains(), ["w1 < DISCONNECT", "w2 < DISCONNECT"]);
  assert.deepEqual(events("broker.draining"), [
    { event: "broker.draining", queued: 0, inFlight: 0 },
  ]);
  assert.deepEqual(waits(100), []);
  assert.deepEqual(waits(100), ["stopped"]); // By then all have read what was said to them last.
  assert.deepEqual(waits(1000), []);
});

test("what is in flight and in the queue is finished, what is new refused", () => {
  const { says, drains, waits, broker } = dialog();
  says(W1, ready("echo", 1));
  says(C1, call("echo", "", "1"));
  says(C1, request("echo", "2"));
  assert.deepEqual(drains(), []);
  assert.deepEqual(says(C2, call("echo", "", "3")), [`c2 < ${NO}`]);
  assert.deepEqual(says(C2, request("echo", "4")), []);
  assert.equal(broker.counts().refused, 2);
  assert.deepEqual(says(W1, reply(id(1), "one")), ["c1 < mmi.call 200 one", "w1 < REQUEST #2 2"]);
  assert.deepEqual(says(W1, reply(id(2), "two")), ["c1 < echo two", "w1 < DISCONNECT"]);
  assert.deepEqual(says(C2, call("echo", "", "5")), [`c2 < ${NO}`]);
  assert.deepEqual(waits(200), ["stopped"]);
});

test("a queue that nobody serves holds up no end", () => {
  const { says, drains, broker } = dialog();
  says(C1, call("none", { id: ID }, "1"));
  says(C2, request("none", "2"));
  assert.deepEqual(drains(), [`c1 < ${NO}`]);
  assert.deepEqual([broker.counts().refused, broker.counts().services], [2, 0]);
});

test("what takes longer than drainMs is refused, and its reply comes too late", () => {
  const { says, drains, waits, broker } = dialog({ drainMs: 2000 });
  says(W1, ready("echo", 1));
  says(C1, call("echo", "", "slow"));
  says(C2, call("echo", "", "behind it"));
  drains();
  assert.deepEqual(waits(1900), []);
  assert.deepEqual(waits(100), [`c1 < ${NO}`, `c2 < ${NO}`, "w1 < DISCONNECT"]);
  assert.deepEqual(says(W1, reply(id(1), "late")), ["w1 < DISCONNECT"]);
  assert.deepEqual([broker.counts().refused, broker.counts().inFlight], [2, 0]);
});

test("what a worker loses meanwhile is given to the others, and to those that still come", () => {
  const { says, drains, waits, vanishes } = dialog();
  says(W1, ready("echo", 1));
  says(C1, call("echo", "", "1"));
  says(W2, ready("echo", 1));
  says(C2, call("echo", "", "2"));
  drains();
  assert.deepEqual(vanishes(W1), []);
  assert.deepEqual(says(W3, ready("echo", 1)), ["w3 < REQUEST #1 1"]);
  assert.deepEqual(says(W2, reply(id(2), "two")), ["c2 < mmi.call 200 two"]);
  assert.deepEqual(vanishes(W2), []);
  assert.deepEqual(vanishes(W3), [`c1 < ${NO}`]);
  assert.deepEqual(says(W3, ready("echo", 1)), ["w3 < DISCONNECT"]); // All is said by now.
  assert.deepEqual(waits(200), ["stopped"]);
});

test("workers are still sent heartbeats, and purged", () => {
  const { says, drains, beats, waits } = dialog({ drainMs: 60_000 });
  says(W1, ready("echo", 1));
  says(C1, call("echo", "", "slow"));
  drains();
  assert.deepEqual(beats(1000), ["w1 < HEARTBEAT"]);
  assert.deepEqual(waits(LEASE_MS - 1000), [`c1 < ${NO}`]);
});

test("a call that is open may still be asked for again", () => {
  const { says, drains } = dialog();
  says(W1, ready("echo", 1));
  says(C1, call("echo", { id: ID }, "slow"));
  drains();
  assert.deepEqual(says(C2, call("echo", { id: ID }, "slow")), []);
  assert.deepEqual(says(W1, reply(id(1), "done")), ["c2 < mmi.call 200 done", "w1 < DISCONNECT"]);
});

test("a second stop signal changes nothing", () => {
  const { says, drains, waits, events } = dialog({ drainMs: 1000 });
  says(W1, ready("echo", 1));
  says(C1, call("echo", "", "slow"));
  drains();
  waits(500);
  assert.deepEqual(drains(), []);
  assert.deepEqual(waits(500), [`c1 < ${NO}`, "w1 < DISCONNECT"]);
  assert.equal(events("broker.draining").length, 1);
});
