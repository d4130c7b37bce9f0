// Silent workers whose connection is intact, and their late answers. W1, W2 and W3 are plain workers
// unless their READY has a credit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_1_TEXT, MDP_0_2 } from "../protocol/dialects.ts";
import {
  call,
  dialog,
  disconnect,
  heartbeatCommand,
  id,
  inDialect,
  knowing,
  LEASE_MS,
  pairs,
  ready,
  reply,
  request,
} from "./dialog.testing.ts";
import type { Limits } from "./limits.ts";

const [W1, W2, W3, C1, C2] = ["w1", "w2", "w3", "c1", "c2"];
const streaming = inDialect(MDP_0_2);
const ID = "an id that is long enough";
const NO_ANSWER = "c1 < mmi.call 408 no answer";

/** A broker whose worker w1 was silent for a lease, with the request #1 of c1 in flight. */
function scene(overrides: Partial<Limits> = {}) {
  const broker = dialog(overrides);
  broker.sends(W1, ready("echo"));
  broker.sends(C1, call("echo", { ttl: 20_000 }, "job"));
  broker.waits(LEASE_MS);
  return broker;
}

test("late REPLY, request queued: its client gets it, DISCONNECT, and the next READY registers", () => {
  const { sends, broker, events } = scene();
  assert.deepEqual([broker.counts().workers, broker.counts().queued], [0, 1]);
  assert.deepEqual(sends(W1, reply(C1, "done")), ["c1 < mmi.call 200 done", "w1 < DISCONNECT"]);
  assert.deepEqual([broker.counts().answered, broker.counts().repliesDropped], [1, 0]);
  assert.deepEqual(sends(W1, ready("echo")), []);
  assert.equal(events("worker.registered").length, 2);
});

test("late REPLY, request at another worker: the client gets one reply, and the other goes on", () => {
  const { sends, waits, broker } = scene();
  assert.deepEqual(sends(W2, ready("echo")), ["w2 < REQUEST c1 job"]);
  assert.deepEqual(sends(W1, reply(C1, "1")), ["c1 < mmi.call 200 1", "w1 < DISCONNECT"]);
  assert.deepEqual(sends(C2, request("echo", "next")), []);
  assert.deepEqual(sends(W2, reply(C1, "2")), ["w2 < REQUEST c2 next"]);
  assert.equal(broker.counts().repliesDropped, 1);
  assert.deepEqual(sends(W2, reply(C2, "next")), ["c2 < echo next"]);
  assert.deepEqual(waits(100), []);
});

test("late REPLY, another worker that knows cancel has the request: cancel", () => {
  const { sends } = scene();
  sends(W2, ready("echo", 1, knowing("cancel")));
  assert.deepEqual(sends(W1, reply(C1, "1")), [
    "c1 < mmi.call 200 1",
    "w1 < DISCONNECT",
    "w2 < HEARTBEAT cancel #1",
  ]);
});

test("late error reply: its client gets it", () => {
  const { sends } = scene();
  const lines = sends(W1, reply(C1, "no such thing", "mmi.error", "404"));
  assert.equal(lines[0], "c1 < mmi.call 404 no such thing mmi.error 404");
});

test("silent worker with an open request: HEARTBEATs both ways, and no DISCONNECT", () => {
  const { sends, heartbeats } = scene();
  for (let second = 0; second < 5; second += 1) {
    assert.deepEqual(heartbeats(1000), ["w1 < HEARTBEAT"]);
    assert.deepEqual(sends(W1, heartbeatCommand), []);
  }
  assert.equal(sends(W1, reply(C1, "done")).length, 2);
  assert.deepEqual(heartbeats(5000), []);
  assert.deepEqual(sends(W1, heartbeatCommand), ["w1 < DISCONNECT"]);
});

test("silent worker whose request ended: sent nothing, its next command gets DISCONNECT", () => {
  const answered = scene();
  answered.sends(W2, ready("echo"));
  assert.deepEqual(answered.sends(W2, reply(C1, "2")), ["c1 < mmi.call 200 2"]);
  assert.deepEqual(answered.sends(W1, reply(C1, "1")), ["w1 < DISCONNECT"]);

  const cancelled = scene();
  assert.deepEqual(cancelled.disconnects(C1), []);
  assert.deepEqual(cancelled.heartbeats(5000), []);
  assert.deepEqual(cancelled.sends(W1, heartbeatCommand), ["w1 < DISCONNECT"]);

  const expired = scene();
  assert.deepEqual(expired.waits(20_000), ["c1 < mmi.call 408 expired in the queue"]);
  assert.deepEqual(expired.sends(W1, heartbeatCommand), ["w1 < DISCONNECT"]);
});

test("idle worker silent for a lease: it gets nothing, and its next command DISCONNECT", () => {
  const { sends, waits, heartbeats } = dialog();
  sends(W1, ready("echo"));
  assert.deepEqual(waits(LEASE_MS), []);
  assert.deepEqual(heartbeats(5000), []);
  assert.deepEqual(sends(W1, heartbeatCommand), ["w1 < DISCONNECT"]);
});

test("READY on the same connection: no answer of before it is used", () => {
  const { sends } = scene();
  assert.deepEqual(sends(W1, ready("echo")), ["w1 < REQUEST c1 job"]);
  assert.deepEqual(sends(W1, reply(C1, "done")), ["c1 < mmi.call 200 done"]);

  const other = scene();
  other.sends(W2, ready("echo"));
  assert.deepEqual(other.sends(W1, ready("math")), []);
  assert.deepEqual(other.sends(W1, reply(C1, "done")), ["w1 < DISCONNECT"]);
  assert.deepEqual(other.sends(W2, reply(C1, "2")), ["c1 < mmi.call 200 2"]);
});

test("another connection, with the same address or not: its REPLY is not used", () => {
  const [first, second] = ["1", "2"].map((remote) => ({ who: null, remote }));
  const { sends, waits, disconnects } = dialog();
  sends(W1, ready("echo"), first);
  sends(C1, call("echo", {}, "job"));
  waits(LEASE_MS);
  assert.deepEqual(sends(W2, reply(C1, "forged")), ["w2 < DISCONNECT"]);
  assert.deepEqual(sends(W1, reply(C1, "forged"), second), ["w1 < DISCONNECT"]);
  assert.deepEqual(disconnects(W1), []);
  assert.deepEqual(sends(W1, reply(C1, "forged"), first), ["w1 < DISCONNECT"]);
  sends(W3, ready("echo"));
  assert.deepEqual(sends(W3, reply(C1, "done")), ["c1 < mmi.call 200 done"]);
});

test("DISCONNECT, another dialect or READY of a silent worker: the record of it ends", () => {
  const { sends } = scene();
  assert.deepEqual(sends(W1, disconnect), []);
  assert.deepEqual(sends(W1, reply(C1, "done")), ["w1 < DISCONNECT"]);
  const other = scene();
  const frames = inDialect(MDP_0_1_TEXT).reply(C1, "done");
  assert.deepEqual(other.sends(W1, frames), ["w1 < DISCONNECT (0.1-text)"]);
});

test("worker with credit: each late REPLY answers its request; DISCONNECT after the last", () => {
  const { sends, waits, broker } = dialog();
  sends(W1, ready("echo", 3, knowing("progress", "shares")));
  for (const body of ["1", "2", "3"]) sends(C1, request("echo", body));
  sends(W1, reply(id(1), "one"));
  waits(LEASE_MS);
  assert.deepEqual(sends(W1, reply(id(3), "three")), ["c1 < echo three"]);
  assert.deepEqual(sends(W1, reply(id(3), "three")), []);
  assert.deepEqual(sends(W1, pairs({ name: "limit", limit: 9 })), []);
  assert.equal(broker.counts().repliesDropped, 1);
  assert.deepEqual(sends(W1, reply(id(2), "two")), ["c1 < echo two", "w1 < DISCONNECT"]);
});

test("18/MDP: a part was dropped, before the silence or after it: the REPLY is not used", () => {
  for (const isEarly of [true, false]) {
    const { sends, waits } = dialog();
    sends(W1, streaming.ready("count"));
    sends(C1, request("count", "2"));
    if (isEarly) sends(W1, streaming.partial(C1, "1"));
    waits(LEASE_MS);
    if (!isEarly)
      assert.deepEqual(sends(W1, streaming.partial(C1, "1")), ["w1 < DISCONNECT (0.2)"]);
    assert.deepEqual(sends(W1, streaming.reply(C1, "2")), ["w1 < DISCONNECT (0.2)"]);
    assert.deepEqual(sends(W2, ready("count")), ["w2 < REQUEST c1 2"]);
  }
});

test("18/MDP: the client has a part of another worker: the late REPLY is not used", () => {
  const { sends, waits } = dialog();
  sends(W1, streaming.ready("count"));
  sends(C1, streaming.request("count", "2"));
  waits(LEASE_MS);
  sends(W2, streaming.ready("count"));
  assert.deepEqual(sends(W2, streaming.partial(C1, "1")), ["c1 < PARTIAL count 1"]);
  assert.deepEqual(sends(W1, streaming.reply(C1, "all")), ["w1 < DISCONNECT (0.2)"]);
  assert.deepEqual(sends(W2, streaming.reply(C1, "2")), ["c1 < FINAL count 2"]);
});

test("18/MDP: parts of another worker that the broker keeps: the late REPLY replaces them", () => {
  const { sends, waits } = dialog();
  sends(W1, streaming.ready("count"));
  sends(C1, call("count", { id: ID }, "2"));
  waits(LEASE_MS);
  sends(W2, streaming.ready("count"));
  assert.deepEqual(sends(W2, streaming.partial(C1, "1")), []);
  assert.equal(sends(W1, streaming.reply(C1, "all"))[0], "c1 < mmi.call 200 all");
  assert.deepEqual(sends(C2, call("count", { id: ID }, "2")), ["c2 < mmi.call 200 all"]);
});

test("deliveriesMax silent workers: no further delivery, and each may answer", () => {
  const { sends, waits, broker, log } = scene({ deliveriesMax: 2 });
  assert.deepEqual(sends(W2, ready("echo")), ["w2 < REQUEST c1 job"]);
  waits(LEASE_MS);
  const removed = log.findLast(({ event }) => event === "worker.removed");
  assert.ok(removed?.event === "worker.removed");
  assert.deepEqual([removed.requeued, removed.waiting, removed.quarantined], [0, 1, 0]);
  assert.deepEqual(sends(W3, ready("echo")), []);
  assert.deepEqual([broker.counts().queued, broker.counts().inFlight], [0, 1]);
  assert.deepEqual(sends(W1, reply(C1, "1")), ["c1 < mmi.call 200 1", "w1 < DISCONNECT"]);
  assert.deepEqual(sends(W2, reply(C1, "2")), ["w2 < DISCONNECT"]);
});

test("deliveriesMax silent workers and no answer: 408 at the ttl, and a dead letter", () => {
  const { sends, waits, broker, events } = scene({ deliveriesMax: 2 });
  sends(W2, ready("echo"));
  const lines = waits(20_000 - LEASE_MS);
  assert.deepEqual(lines, [NO_ANSWER]);
  assert.deepEqual([broker.counts().expired, broker.counts().quarantined], [1, 0]);
  const [letter, ...more] = broker.overview().deadLetters;
  assert.deepEqual([letter?.reason, letter?.deliveries, more.length], ["no answer", 2, 0]);
  assert.equal(events("request.unanswered").length, 1);
});

test("connection of a silent worker broken: a step towards quarantine", () => {
  const { sends, waits, disconnects, broker } = scene({ deliveriesMax: 2 });
  sends(W2, ready("echo"));
  waits(LEASE_MS);
  assert.deepEqual(disconnects(W2), []);
  assert.equal(broker.counts().inFlight, 1);
  const [line] = disconnects(W1);
  assert.equal(line, "c1 < mmi.call 502 2 workers were removed with the request in flight");
  assert.equal(broker.counts().quarantined, 1);
});

test("connection of a silent worker broken: its queued request is a suspect, and shares no worker", () => {
  const { sends, disconnects, broker } = scene({ deliveriesMax: 2 });
  assert.deepEqual(disconnects(W1), []);
  assert.deepEqual(sends(W2, ready("echo", 4)), []); // A newcomer, so it gets no last delivery.
  assert.deepEqual(sends(C2, request("echo", "2")), ["w2 < REQUEST #2 2"]);
  assert.deepEqual(sends(W2, reply(id(2), "")), ["c2 < echo ", "w2 < REQUEST #1 job"]);
  assert.deepEqual(sends(C2, request("echo", "3")), []);
  assert.deepEqual(sends(W2, reply(id(1), "1")), ["c1 < mmi.call 200 1", "w2 < REQUEST #3 3"]);
  assert.equal(broker.counts().queued, 0);
});

test("connection of a silent worker broken, its request at another worker: the suspect alone is charged", () => {
  const { sends, disconnects, broker } = scene({ deliveriesMax: 2 });
  assert.equal(sends(W2, ready("echo", 4)).length, 1);
  assert.equal(sends(C2, request("echo", "other")).length, 1);
  assert.deepEqual(disconnects(W1), []);
  disconnects(W2);
  assert.deepEqual([broker.counts().quarantined, broker.counts().queued], [1, 1]);
  assert.deepEqual(sends(W3, ready("echo")), ["w3 < REQUEST c2 other"]);
  disconnects(W3); // The first death that counts against the other request.
  assert.deepEqual([broker.counts().quarantined, broker.counts().queued], [1, 1]);
});

test("silence of a worker with several requests: none is a suspect, and one worker gets them all", () => {
  const { sends, waits } = dialog({ deliveriesMax: 2 });
  sends(W1, ready("echo", 3));
  for (const body of ["1", "2", "3"]) sends(C1, request("echo", body));
  waits(LEASE_MS);
  assert.equal(sends(W2, ready("echo", 9)).length, 3);
  assert.deepEqual(sends(C2, request("echo", "4")), ["w2 < REQUEST #4 4"]);
});

test("death, then a silence: the silence counts towards the last delivery, not towards quarantine", () => {
  const { sends, waits, disconnects, broker } = dialog({ deliveriesMax: 2 });
  for (const worker of [W1, W2]) sends(worker, ready("echo", 4));
  assert.deepEqual(sends(C1, call("echo", { ttl: 20_000 }, "job")), ["w1 < REQUEST #1 job"]);
  assert.deepEqual(disconnects(W1), ["w2 < REQUEST #1 job"]);
  waits(LEASE_MS);
  assert.deepEqual(sends(W3, ready("echo", 4)), []);
  assert.deepEqual([broker.counts().quarantined, broker.counts().inFlight], [0, 1]);
  assert.deepEqual(sends(W2, reply(id(1), "1")), ["c1 < mmi.call 200 1", "w2 < DISCONNECT"]);
});

test("late REPLY, another worker has the request alone on its last delivery: isolation ends", () => {
  const { sends, disconnects } = scene({ deliveriesMax: 3 });
  for (const worker of [W2, W3]) sends(worker, ready("echo", 2)); // W2 has the request.
  assert.deepEqual(disconnects(W2), ["w3 < REQUEST #1 job"]);
  assert.deepEqual(sends(C2, request("echo", "next")), []);
  assert.deepEqual(sends(W1, reply(C1, "1")), [
    "c1 < mmi.call 200 1",
    "w3 < REQUEST #2 next",
    "w1 < DISCONNECT",
  ]);
});

test("silent worker, then a death on the last delivery: the late answer is used", () => {
  const { sends, disconnects } = scene({ deliveriesMax: 2 });
  sends(W2, ready("echo", 4));
  assert.deepEqual(disconnects(W2), []);
  assert.deepEqual(sends(W3, ready("echo")), []);
  assert.deepEqual(sends(W1, reply(C1, "1")), ["c1 < mmi.call 200 1", "w1 < DISCONNECT"]);
});

test("drain: waits for a late answer", () => {
  const { sends, drains, waits } = scene();
  assert.deepEqual(drains(), []);
  assert.deepEqual(sends(W1, reply(C1, "1")), ["c1 < mmi.call 200 1", "w1 < DISCONNECT"]);
  assert.deepEqual(waits(300), ["stopped"]);
});

test("drain over without a late answer: the open request gets 503", () => {
  const { drains, waits } = scene();
  drains();
  assert.deepEqual(waits(6000), ["c1 < mmi.call 503 the broker is shutting down", "stopped"]);
});
