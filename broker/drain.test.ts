// The drain of a broker: it rejects new requests, finishes those in flight, and disconnects its
// workers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { call, dialog, id, LEASE_MS, ready, reply, request } from "./dialog.testing.ts";

const [W1, W2, W3] = ["w1", "w2", "w3"];
const [C1, C2] = ["c1", "c2"];
const ID = "0123456789abcdef";
const NO = "mmi.call 503 the broker is shutting down";

test("nothing in flight: every worker gets DISCONNECT, and the broker stops after LEAVE_MS", () => {
  const { sends, drains, waits, events } = dialog();
  sends(W1, ready("echo"));
  sends(W2, ready("math", 4));
  assert.deepEqual(drains(), ["w1 < DISCONNECT", "w2 < DISCONNECT"]);
  assert.deepEqual(events("broker.draining"), [
    { event: "broker.draining", queued: 0, inFlight: 0 },
  ]);
  assert.deepEqual(waits(100), []);
  assert.deepEqual(waits(100), ["stopped"]); // All peers have had the time to read their last message.
  assert.deepEqual(waits(1000), []);
});

test("requests in flight and queued: finished; new requests: rejected", () => {
  const { sends, drains, waits, broker } = dialog();
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", "", "1"));
  sends(C1, request("echo", "2"));
  assert.deepEqual(drains(), []);
  assert.deepEqual(sends(C2, call("echo", "", "3")), [`c2 < ${NO}`]);
  assert.deepEqual(sends(C2, request("echo", "4")), []);
  assert.equal(broker.counts().refused, 2);
  assert.deepEqual(sends(W1, reply(id(1), "one")), ["c1 < mmi.call 200 one", "w1 < REQUEST #2 2"]);
  assert.deepEqual(sends(W1, reply(id(2), "two")), ["c1 < echo two", "w1 < DISCONNECT"]);
  assert.deepEqual(sends(C2, call("echo", "", "5")), [`c2 < ${NO}`]);
  assert.deepEqual(waits(200), ["stopped"]);
});

test("queue without workers: settled with 503 at once", () => {
  const { sends, drains, broker } = dialog();
  sends(C1, call("none", { id: ID }, "1"));
  sends(C2, request("none", "2"));
  assert.deepEqual(drains(), [`c1 < ${NO}`]);
  assert.deepEqual([broker.counts().refused, broker.counts().services], [2, 0]);
});

test("request in flight for longer than drainMs: 503, and its reply is late", () => {
  const { sends, drains, waits, broker } = dialog({ drainMs: 2000 });
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", "", "slow"));
  sends(C2, call("echo", "", "behind it"));
  drains();
  assert.deepEqual(waits(1900), []);
  assert.deepEqual(waits(100), [`c1 < ${NO}`, `c2 < ${NO}`, "w1 < DISCONNECT"]);
  assert.deepEqual(sends(W1, reply(id(1), "late")), ["w1 < DISCONNECT"]);
  assert.deepEqual([broker.counts().refused, broker.counts().inFlight], [2, 0]);
});

test("worker removed during the drain: its request goes to another worker, and others to new ones too", () => {
  const { sends, drains, waits, disconnects } = dialog();
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", "", "1"));
  sends(W2, ready("echo", 1));
  sends(C2, call("echo", "", "2"));
  sends(C1, call("echo", "", "3"));
  drains();
  assert.deepEqual(disconnects(W1), []);
  assert.deepEqual(sends(W3, ready("echo", 1)), ["w3 < REQUEST #3 3"]);
  const two = sends(W2, reply(id(2), "two"));
  assert.deepEqual(two, ["c2 < mmi.call 200 two", "w2 < REQUEST #1 1"]);
  assert.deepEqual(sends(W2, reply(id(1), "one")), ["c1 < mmi.call 200 one"]);
  assert.deepEqual(disconnects(W2), []);
  assert.deepEqual(disconnects(W3), [`c1 < ${NO}`]);
  assert.deepEqual(sends(W3, ready("echo", 1)), ["w3 < DISCONNECT"]); // The broker is leaving.
  assert.deepEqual(waits(200), ["stopped"]);
});

test("workers during the drain: they get heartbeats, and are removed when silent", () => {
  const { sends, drains, heartbeats, waits, disconnects } = dialog({ drainMs: 60_000 });
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", "", "slow"));
  drains();
  assert.deepEqual(heartbeats(1000), ["w1 < HEARTBEAT"]);
  assert.deepEqual(waits(LEASE_MS - 1000), []); // Its answer may still come.
  assert.deepEqual(disconnects(W1), [`c1 < ${NO}`]);
});

test("retry of an open call during the drain: gets the reply", () => {
  const { sends, drains } = dialog();
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", { id: ID }, "slow"));
  drains();
  assert.deepEqual(sends(C2, call("echo", { id: ID }, "slow")), []);
  assert.deepEqual(sends(W1, reply(id(1), "done")), ["c2 < mmi.call 200 done", "w1 < DISCONNECT"]);
});

test("second stop signal: changes nothing", () => {
  const { sends, drains, waits, events } = dialog({ drainMs: 1000 });
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", "", "slow"));
  drains();
  waits(500);
  assert.deepEqual(drains(), []);
  assert.deepEqual(waits(500), [`c1 < ${NO}`, "w1 < DISCONNECT"]);
  assert.equal(events("broker.draining").length, 1);
});
