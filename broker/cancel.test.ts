// Clients that stop waiting: mmi.cancel, a lost connection, and the option `linger`. A worker that knows
// `cancel` gets the requests that nobody waits for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_2 } from "../protocol/dialects.ts";
import {
  call,
  callIn,
  dialog,
  disconnect,
  id,
  inDialect,
  knowing,
  ready,
  reply,
  request,
} from "./dialog.testing.ts";
import { gaugesOf } from "./gauges.ts";

const ID = "0123456789abcdef";
const [W1, C1, C2, C3] = ["w1", "c1", "c2", "c3"];
const CANCELLED = "mmi.call 410 a client cancelled it";
const cancel = (callId: string) => request("mmi.cancel", callId);
const key = (who: string) => ({ who, remote: null });

/** A dialog with a worker of echo that knows `cancel`. */
function withWorker(credit: number, overrides: Parameters<typeof dialog>[0] = {}) {
  const spoken = dialog(overrides);
  spoken.sends(W1, ready("echo", credit, knowing("cancel")));
  return spoken;
}

test("mmi.cancel of a call in flight: 410 to the caller, 200, and cancel to the worker", () => {
  const { sends, broker } = withWorker(2);
  sends(C1, [Buffer.from("7"), ...call("echo", { id: ID }, "slow")]);
  assert.deepEqual(sends(C1, cancel(ID)), [
    `c1 < 7 ${CANCELLED}`,
    "c1 < mmi.cancel 200",
    "w1 < HEARTBEAT cancel #1",
  ]);
  assert.equal(broker.counts().cancelled, 1);
});

test("mmi.cancel: the outcome is remembered, and a retry gets 410", () => {
  const { sends } = withWorker(2);
  sends(C1, call("echo", { id: ID }, "slow"));
  sends(C1, cancel(ID));
  assert.deepEqual(sends(C2, call("echo", { id: ID }, "slow")), [`c2 < ${CANCELLED}`]);
});

test("mmi.cancel of a queued call: the next one is delivered in its place", () => {
  const { sends } = withWorker(1);
  sends(C1, request("echo", "first"));
  sends(C1, call("echo", { id: ID }, "second"));
  sends(C2, request("echo", "third"));
  assert.deepEqual(sends(C1, cancel(ID)), [`c1 < ${CANCELLED}`, "c1 < mmi.cancel 200"]);
  assert.deepEqual(sends(W1, reply(id(1), "1")), ["c1 < echo 1", "w1 < REQUEST #3 third"]);
});

test("mmi.cancel of a call that the sender does not wait for: 404", () => {
  const { sends } = withWorker(2);
  sends(C1, call("echo", { id: ID }, "slow"));
  assert.deepEqual(sends(C2, cancel(ID)), ["c2 < mmi.cancel 404"]);
  assert.deepEqual(sends(C1, cancel("another id, unknown")), ["c1 < mmi.cancel 404"]);
  assert.deepEqual(sends(W1, reply(id(1), "done")), ["c1 < mmi.call 200 done"]);
  assert.deepEqual(sends(C1, cancel(ID)), ["c1 < mmi.cancel 404"]);
});

test("mmi.cancel with a body that is no call id: 400", () => {
  const { sends } = withWorker(2);
  assert.deepEqual(sends(C1, cancel("short")), ["c1 < mmi.cancel 400"]);
  assert.deepEqual(sends(C1, request("mmi.cancel", ID, "more")), ["c1 < mmi.cancel 400"]);
});

test("mmi.cancel by the latest of two callers: 410 for it, and the other gets the outcome", () => {
  const { sends } = withWorker(2);
  sends(C1, call("echo", { id: ID }, "slow"));
  sends(C2, call("echo", { id: ID }, "slow"));
  assert.deepEqual(sends(C2, cancel(ID)), [`c2 < ${CANCELLED}`, "c2 < mmi.cancel 200"]);
  assert.deepEqual(sends(C2, cancel(ID)), ["c2 < mmi.cancel 404"]);
  assert.deepEqual(sends(W1, reply(id(1), "done")), ["c1 < mmi.call 200 done"]);
});

test("mmi.cancel by an earlier caller: 410 for it, and the latest gets the outcome", () => {
  const { sends, disconnects } = withWorker(2);
  sends(C1, [Buffer.from("7"), ...call("echo", { id: ID }, "slow")]);
  sends(C2, call("echo", { id: ID }, "slow"));
  assert.deepEqual(sends(C1, cancel(ID)), [`c1 < 7 ${CANCELLED}`, "c1 < mmi.cancel 200"]);
  disconnects(C1);
  assert.deepEqual(sends(W1, reply(id(1), "done")), ["c2 < mmi.call 200 done"]);
});

test("mmi.cancel by the latest caller in mid-reply: the other gets all parts, or 500", () => {
  const { partial, ready: streams } = inDialect(MDP_0_2);
  const count = callIn(MDP_0_2)("count", { id: ID }, "3");
  const long = "x".repeat(60_000);
  for (const [parts, last] of [
    [["one"], "c1 < PARTIAL mmi.call 206 one"],
    [[long, long], "c1 < FINAL mmi.call 500 the parts of the reply exceed the broker's bounds"],
  ] as const) {
    const { sends } = dialog();
    sends(W1, streams("count", 4));
    sends(C1, count);
    sends(C2, count);
    for (const part of parts) sends(W1, partial(id(1), part));
    assert.deepEqual(sends(C2, cancel(ID)), [
      "c2 < FINAL mmi.call 410 a client cancelled it",
      last,
      "c2 < mmi.cancel 200",
    ]);
  }
});

test("mmi.cancel with keys: any connection of the key owns the call, and no other key", () => {
  const { sends } = withWorker(2);
  sends(C1, call("echo", { id: ID }, "slow"), key("alice"));
  assert.deepEqual(sends(C2, cancel(ID), key("bob")), ["c2 < mmi.cancel 404"]);
  assert.deepEqual(sends(C2, cancel(ID)), ["c2 < mmi.cancel 404"]);
  assert.deepEqual(sends(C2, cancel(ID), key("alice")), [
    `c1 < ${CANCELLED}`,
    "c2 < mmi.cancel 200",
    "w1 < HEARTBEAT cancel #1",
  ]);
});

test("one call id with two keys: two calls", () => {
  const { sends } = withWorker(2);
  sends(C1, call("echo", { id: ID }, "hi"), key("alice"));
  assert.deepEqual(sends(C2, call("echo", { id: ID }, "hi"), key("bob")), ["w1 < REQUEST #2 hi"]);
  sends(W1, reply(id(1), "for alice"));
  assert.deepEqual(sends(W1, reply(id(2), "for bob")), ["c2 < mmi.call 200 for bob"]);
});

test("cancelled call: its slot stays taken until the worker replies, and the reply is late", () => {
  const { sends, broker } = withWorker(1);
  sends(C1, call("echo", { id: ID }, "slow"));
  sends(C2, request("echo", "next"));
  sends(C1, cancel(ID));
  assert.deepEqual(numbersOf(broker), { inFlight: 0, abandoned: 1 });
  assert.deepEqual(sends(W1, reply(id(1), "late")), ["w1 < REQUEST #2 next"]);
  assert.equal(broker.counts().repliesDropped, 1);
  assert.deepEqual(numbersOf(broker), { inFlight: 1, abandoned: 0 });
});

function numbersOf(broker: ReturnType<typeof dialog>["broker"]) {
  const all = [...gaugesOf(broker.overview(), 0).values()];
  const { inFlight, abandoned } = all.find((gauges) => gauges.busy > 0) ?? {};
  return { inFlight, abandoned };
}

test("cancelled call, worker removed: not delivered again", () => {
  const { sends } = withWorker(1);
  sends(C1, call("echo", { id: ID }, "slow"));
  sends(C1, cancel(ID));
  sends(W1, disconnect);
  assert.deepEqual(sends("w2", ready("echo", 1)), []);
});

test("worker that does not know cancel: gets none", () => {
  for (const about of [undefined, knowing("meta")]) {
    const { sends } = dialog();
    sends(W1, ready("echo", 1, about));
    sends(C1, call("echo", { id: ID }, "slow"));
    assert.deepEqual(sends(C1, cancel(ID)), [`c1 < ${CANCELLED}`, "c1 < mmi.cancel 200"]);
  }
});

test("expired in flight: cancel to the worker; expired in the queue: none", () => {
  const { sends, waits } = withWorker(1);
  sends(C1, call("echo", { ttl: 1000 }, "slow"));
  sends(C1, call("echo", { ttl: 900 }, "behind it"));
  assert.deepEqual(waits(1000), [
    "c1 < mmi.call 408 expired in the queue",
    "c1 < mmi.call 408 expired in flight",
    "w1 < HEARTBEAT cancel #1",
  ]);
});

test("reply given up since its parts are too large: cancel to the worker, unless it has replied", () => {
  const { partial, reply: last, ready: streams } = inDialect(MDP_0_2);
  const long = "x".repeat(60_000);
  const rejected = "c1 < mmi.call 500 the parts of the reply exceed the broker's bounds";
  const { sends } = dialog();
  sends(W1, streams("count", 4, knowing("cancel")));
  sends(C1, call("count", "", "3"));
  sends(W1, partial(id(1), long));
  assert.deepEqual(sends(W1, partial(id(1), long)), [rejected, "w1 < HEARTBEAT cancel #1 (0.2)"]);
  sends(C1, call("count", "", "3"));
  sends(W1, partial(id(2), long));
  assert.deepEqual(sends(W1, last(id(2), long)), [rejected]);
});

test("client disconnected: its requests in flight end, and one HEARTBEAT cancels them", () => {
  const { sends, disconnects, broker } = withWorker(9);
  sends(C1, request("echo", "plain"));
  sends(C1, call("echo", "", "without an id"));
  sends(C1, call("echo", { id: ID }, "with an id"));
  assert.deepEqual(disconnects(C1), ["w1 < HEARTBEAT cancel #1 #2"]);
  assert.equal(broker.counts().clientGone, 2);
});

test("linger passed without a retry: the call ends, and a later retry begins it again", () => {
  const { sends, disconnects, waits, broker } = withWorker(2);
  sends(C1, call("echo", { id: ID, linger: 1000 }, "hi"));
  assert.deepEqual(waits(1500), []);
  assert.deepEqual(disconnects(C1), []);
  assert.deepEqual(waits(900), []);
  assert.deepEqual(waits(100), ["w1 < HEARTBEAT cancel #1"]);
  assert.equal(broker.counts().clientGone, 1);
  assert.deepEqual(sends(C2, call("echo", { id: ID }, "hi")), ["w1 < REQUEST #2 hi"]);
  assert.deepEqual(sends(W1, reply(id(1), "late")), []);
  assert.deepEqual(sends(W1, reply(id(2), "HI")), ["c2 < mmi.call 200 HI"]);
});

test("linger 0: the call ends at once", () => {
  const { sends, disconnects } = withWorker(2);
  sends(C1, call("echo", { id: ID, linger: 0 }, "hi"));
  assert.deepEqual(disconnects(C1), ["w1 < HEARTBEAT cancel #1"]);
  assert.deepEqual(sends(C2, call("echo", { id: ID, linger: 0 }, "hi")), ["w1 < REQUEST #2 hi"]);
});

test("retry within linger: the call stays open, with the linger of the retry", () => {
  const { sends, disconnects, waits } = withWorker(2);
  sends(C1, call("echo", { id: ID, linger: 1000 }, "hi"));
  disconnects(C1);
  waits(900);
  sends(C2, call("echo", { id: ID, linger: 500 }, "hi"));
  assert.deepEqual(waits(600), []);
  disconnects(C2);
  assert.deepEqual(waits(400), []);
  assert.deepEqual(waits(100), ["w1 < HEARTBEAT cancel #1"]);

  sends(C1, call("echo", { id: ID, linger: 500 }, "hi"));
  sends(C2, call("echo", { id: ID }, "hi"));
  disconnects(C1);
  disconnects(C2);
  assert.deepEqual(waits(900), []);
  assert.deepEqual(sends(W1, reply(id(2), "HI")), []);
  assert.deepEqual(sends(C3, call("echo", { id: ID }, "hi")), ["c3 < mmi.call 200 HI"]);
});

test("linger with an earlier caller: it begins once the last caller has disconnected", () => {
  const { sends, disconnects, waits } = withWorker(2);
  sends(C1, call("echo", { id: ID }, "hi"));
  sends(C2, call("echo", { id: ID, linger: 0 }, "hi"));
  assert.deepEqual(disconnects(C2), []);
  assert.deepEqual(waits(2000), []);
  assert.deepEqual(disconnects(C1), ["w1 < HEARTBEAT cancel #1"]);
});

test("linger longer than the ttl: the call expires first, and is remembered", () => {
  const { sends, disconnects, waits, broker } = withWorker(2);
  sends(C1, call("echo", { id: ID, ttl: 500, linger: 1000 }, "hi"));
  disconnects(C1);
  assert.deepEqual(waits(500), ["w1 < HEARTBEAT cancel #1"]);
  assert.equal(broker.counts().expired, 1);
  assert.deepEqual(sends(C2, call("echo", { id: ID }, "hi")), [
    "c2 < mmi.call 408 expired in flight",
  ]);
});

test("five callers of one call: the fifth gets 409, and the others the outcome, latest first", () => {
  const { sends, disconnects, broker } = withWorker(2);
  const ask = call("echo", { id: ID }, "slow");
  for (const client of [C1, C2, C3, "c4"]) sends(client, ask);
  assert.deepEqual(sends("c5", ask), ["c5 < mmi.call 409 too many callers wait for this call"]);
  assert.equal(broker.counts().refused, 1);
  assert.deepEqual(sends(C2, ask), []); // It replaces itself, and is the latest now.
  disconnects(C2);
  disconnects("c4");
  assert.deepEqual(sends("c5", ask), []);
  disconnects("c5");
  disconnects(C3);
  assert.deepEqual(sends(W1, reply(id(1), "done")), ["c1 < mmi.call 200 done"]);
});

test("callers of one call: the weight of each envelope counts until it stops waiting", () => {
  const { sends, disconnects } = withWorker(2, { queueBytesMax: 10_000 });
  const ask = (weight: number) => [Buffer.alloc(weight, "e"), ...call("echo", { id: ID }, "slow")];
  const full = /mmi.call 429 the open requests take too much memory$/;
  sends(C1, ask(4000));
  sends(C2, ask(4000));
  assert.match(sends(C3, ask(4000)).join(), full);
  assert.match(sends(C3, call("echo", "", "x".repeat(3000))).join(), full);
  disconnects(C1);
  assert.deepEqual(sends(C3, ask(4000)), []);
  sends(C3, cancel(ID));
  sends(C2, cancel(ID));
  assert.deepEqual(sends(C3, call("echo", "", "x".repeat(8000))), [
    `w1 < REQUEST #2 ${"x".repeat(8000)}`,
  ]);
});
