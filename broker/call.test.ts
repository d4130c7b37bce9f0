// Calls (mmi.call): a status for every request, and a retry that does not run the request again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_1 as dialect } from "../protocol/dialects.ts";
import { encodeErrorReply } from "../protocol/error-reply.ts";
import { encode } from "../protocol/mdp.ts";
import { call, dialog, disconnect, id, LEASE_MS, ready, reply, request } from "./dialog.testing.ts";

const [W1, W2] = ["w1", "w2"];
const [C1, C2, C3] = ["c1", "c2", "c3"];
const ID = "0123456789abcdef";
const OTHER_ID = "fedcba9876543210";

const failure = (client: Buffer) =>
  encode({
    header: "worker",
    dialect,
    name: "REPLY",
    client,
    body: encodeErrorReply(409, "it is taken"),
  });

test("200: the reply of the worker follows", () => {
  const { says } = dialog();
  says(W1, ready("echo", 1));
  assert.deepEqual(says(C1, call("echo", "", "hi", "")), ["w1 < REQUEST #1 hi "]);
  assert.deepEqual(says(W1, reply(id(1), "HI", "")), ["c1 < mmi.call 200 HI "]);
});

test("28/REQREP: call with an envelope: it stands before the reply, and before a rejection", () => {
  const { says } = dialog();
  says(W1, ready("echo", 1));
  says(C1, [Buffer.from("7"), ...call("echo", "", "hi")]);
  assert.deepEqual(says(W1, reply(id(1), "HI")), ["c1 < 7 mmi.call 200 HI"]);
  assert.deepEqual(says(C1, [Buffer.from("8"), ...call("echo", "{", "hi")]), [
    "c1 < 8 mmi.call 400 the options are not a JSON object",
  ]);
});

test("call to a plain 7/MDP worker: served like a plain request", () => {
  const { says } = dialog();
  says(W1, ready("echo"));
  assert.deepEqual(says(C1, call("echo", { id: ID }, "hi")), ["w1 < REQUEST c1 hi"]);
  assert.deepEqual(says(W1, reply(C1, "HI")), ["c1 < mmi.call 200 HI"]);
});

test("error reply of a service: its code is the status, and the error reply follows whole", () => {
  const { says } = dialog();
  says(W1, ready("db", 2));
  says(C1, call("db", "", "put"));
  assert.deepEqual(says(W1, failure(id(1))), ["c1 < mmi.call 409 it is taken mmi.error 409"]);
  says(C2, request("db", "put"));
  assert.deepEqual(says(W1, failure(id(2))), ["c2 < db it is taken mmi.error 409"]);
});

test("400: malformed call: rejected with the reason, and counted", () => {
  const { says, broker } = dialog();
  assert.deepEqual(says(C1, request("mmi.call", "")), ["c1 < mmi.call 400 no service name"]);
  assert.deepEqual(says(C1, call("echo", '{"ttl":0}', "hi")), [
    "c1 < mmi.call 400 ttl is not a whole number of ms from 1 to 86400000",
  ]);
  assert.deepEqual(says(C1, call("mmi.service", "", "echo")), [
    "c1 < mmi.call 400 mmi.* services cannot be called through mmi.call; send the request directly",
  ]);
  assert.equal(broker.counts().refused, 3);
});

test("404: no worker within the ttl, that of the call or that of the broker", () => {
  const { says, waits } = dialog({ requestTtlMs: 2000 });
  says(C1, call("echo", { ttl: 500 }, "hi"));
  says(C2, call("echo", "", "hi"));
  assert.deepEqual(waits(400), []);
  assert.deepEqual(waits(100), ["c1 < mmi.call 404 no worker registered in time"]);
  assert.deepEqual(waits(1400), []);
  assert.deepEqual(waits(100), ["c2 < mmi.call 404 no worker registered in time"]);
  says(C1, call("echo", { ttl: 105 }, "hi"));
  assert.deepEqual(waits(100), []);
  assert.deepEqual(waits(100), ["c1 < mmi.call 404 no worker registered in time"]);
});

test("408: ttl passed in the queue or in flight: the late reply is dropped", () => {
  const { says, waits, broker } = dialog();
  says(W1, ready("echo", 1));
  says(C1, call("echo", { ttl: 1000 }, "slow"));
  says(C2, call("echo", { ttl: 900 }, "behind it"));
  assert.deepEqual(waits(900), ["c2 < mmi.call 408 expired in the queue"]);
  assert.deepEqual(waits(100), ["c1 < mmi.call 408 expired in flight"]);
  assert.deepEqual(says(W1, reply(id(1), "late")), []);
  assert.deepEqual([broker.counts().expired, broker.counts().repliesDropped], [2, 1]);
});

test("408: ttl passed after the only worker was removed with the request: not 404", () => {
  const { says, vanishes, waits } = dialog();
  says(W1, ready("echo", 1));
  says(C1, call("echo", { ttl: 1000 }, "hi"));
  vanishes(W1);
  assert.deepEqual(waits(1000), ["c1 < mmi.call 408 expired in the queue"]);
});

test("calls with a ttl, shorter or longer than the broker's: each expires at its own time", () => {
  const { says, waits, broker } = dialog({ requestTtlMs: 1000 });
  says(C1, call("echo", { ttl: 5000 }, "long"));
  says(C1, request("echo", "plain"));
  says(C1, call("echo", { ttl: 105 }, "short"));
  waits(200);
  assert.equal(broker.counts().queued, 2);
  waits(800);
  assert.equal(broker.counts().queued, 1);
  waits(3900);
  assert.equal(broker.counts().queued, 1);
  assert.deepEqual(waits(100), ["c1 < mmi.call 404 no worker registered in time"]);
});

test("429: queueMax, queueBytesMax or servicesMax reached", () => {
  const full = dialog({ queueMax: 1 });
  full.says(C1, call("echo", "", "1"));
  assert.deepEqual(full.says(C1, call("echo", "", "2")), ["c1 < mmi.call 429 the queue is full"]);
  const heavy = dialog({ queueBytesMax: 1000 });
  assert.deepEqual(heavy.says(C1, call("echo", "", "x".repeat(1000))), [
    "c1 < mmi.call 429 the queues are too large",
  ]);
  const many = dialog({ servicesMax: 1 });
  many.says(C1, call("echo", "", "1"));
  assert.deepEqual(many.says(C1, call("math", "", "2")), ["c1 < mmi.call 429 too many services"]);
});

test("502: deliveriesMax workers gone with the request", () => {
  const { says, vanishes } = dialog({ deliveriesMax: 2 });
  says(C1, call("echo", "", "poison"));
  says(W1, ready("echo", 1));
  assert.deepEqual(vanishes(W1), []);
  says(W2, ready("echo", 1));
  assert.deepEqual(vanishes(W2), [
    "c1 < mmi.call 502 2 workers were removed with the request in flight",
  ]);
});

test("retry of an open call: not run again, and the last client gets the reply", () => {
  const { says, broker } = dialog();
  says(W1, ready("echo", 9));
  assert.deepEqual(says(C1, call("echo", { id: ID }, "slow")), ["w1 < REQUEST #1 slow"]);
  assert.deepEqual(says(C1, call("echo", { id: ID }, "slow")), []);
  assert.deepEqual(says(C2, [Buffer.from("7"), ...call("echo", { id: ID }, "slow")]), []);
  assert.deepEqual(says(W1, reply(id(1), "once")), ["c2 < 7 mmi.call 200 once"]);
  assert.deepEqual([broker.counts().received, broker.counts().retried], [1, 2]);
});

test("retry of a settled call: gets the same outcome, a rejection too", () => {
  const { says, waits, vanishes, broker } = dialog({ deliveriesMax: 1 });
  says(W1, ready("echo", 9));
  says(C1, call("echo", { id: ID }, "hi"));
  says(W1, reply(id(1), "HI"));
  assert.deepEqual(says(C2, call("echo", { id: ID }, "hi")), ["c2 < mmi.call 200 HI"]);
  assert.deepEqual(says(C2, call("echo", { id: ID }, "hi")), ["c2 < mmi.call 200 HI"]);

  says(C1, call("echo", { id: OTHER_ID }, "poison"));
  vanishes(W1);
  assert.deepEqual(says(C3, call("echo", { id: OTHER_ID }, "poison")), [
    "c3 < mmi.call 502 its worker was removed with the request in flight",
  ]);
  assert.deepEqual(says(C1, call("none", { id: "x".repeat(16), ttl: 100 }, "")), []);
  waits(100);
  assert.deepEqual(says(C1, call("none", { id: "x".repeat(16), ttl: 100 }, "")), [
    "c1 < mmi.call 404 no worker registered in time",
  ]);
  assert.equal(broker.counts().received, 3);
});

test("retry of a call that was rejected at a bound: a new call", () => {
  const { says } = dialog({ queueMax: 1 });
  says(W1, ready("echo", 1));
  says(C1, request("echo", "1"));
  assert.deepEqual(says(C2, call("echo", { id: ID }, "2")), [
    "c2 < mmi.call 429 the queue is full",
  ]);
  says(W1, reply(id(1), "1"));
  assert.deepEqual(says(C2, call("echo", { id: ID }, "2")), ["w1 < REQUEST #2 2"]);
});

test("retry with a ttl: the call may expire later, and no earlier", () => {
  const { says, waits } = dialog();
  says(C1, call("echo", { id: ID, ttl: 1000 }, "hi"));
  waits(900);
  says(C1, call("echo", { id: ID, ttl: 1000 }, "hi"));
  says(C1, call("echo", { id: ID, ttl: 1 }, "hi"));
  assert.deepEqual(waits(900), []);
  assert.deepEqual(waits(100), ["c1 < mmi.call 404 no worker registered in time"]);
});

test("outcomes beyond the bounds of age, number and bytes: the oldest are forgotten", () => {
  const ask = (name: string) => call("echo", { id: name.repeat(16) }, "hi");
  function answered(overrides: Parameters<typeof dialog>[0], replies: string[]) {
    const spoken = dialog(overrides);
    spoken.says(W1, ready("echo", 9));
    for (const [nth, body] of replies.entries()) {
      spoken.says(C1, ask("abc"[nth] ?? ""));
      spoken.says(W1, reply(id(nth + 1), body));
    }
    return spoken;
  }
  const byAge = answered({ outcomesMs: 1000 }, ["A"]);
  byAge.waits(900);
  assert.deepEqual(byAge.says(C1, ask("a")), ["c1 < mmi.call 200 A"]);
  byAge.waits(100);
  assert.deepEqual(byAge.says(C1, ask("a")), ["w1 < REQUEST #2 hi"]);

  const byNumber = answered({ outcomesMax: 2 }, ["A", "B", "C"]);
  assert.deepEqual(byNumber.says(C1, ask("b")), ["c1 < mmi.call 200 B"]);
  assert.deepEqual(byNumber.says(C1, ask("c")), ["c1 < mmi.call 200 C"]);
  assert.deepEqual(byNumber.says(C1, ask("a")), ["w1 < REQUEST #4 hi"]);

  const byBytes = answered({ outcomesBytesMax: 10_000 }, ["A".repeat(6000), "B".repeat(6000)]);
  assert.deepEqual(byBytes.says(C1, ask("b")), [`c1 < mmi.call 200 ${"B".repeat(6000)}`]);
  assert.deepEqual(byBytes.says(C1, ask("a")), ["w1 < REQUEST #3 hi"]);
});

test("id of a call to another service: rejected", () => {
  const { says, broker } = dialog();
  says(W1, ready("echo", 9));
  says(C1, call("echo", { id: ID }, "hi"));
  const refused = ["c2 < mmi.call 400 this id is already used by a call to another service"];
  assert.deepEqual(says(C2, call("math", { id: ID }, "hi")), refused);
  assert.deepEqual(says(W1, reply(id(1), "HI")), ["c1 < mmi.call 200 HI"]);
  assert.deepEqual(says(C2, call("math", { id: ID }, "hi")), refused);
  assert.equal(broker.counts().retried, 0);
});

test("retry with an envelope beyond queueBytesMax: rejected, and the first client gets the reply", () => {
  const { says } = dialog({ queueBytesMax: 5000 });
  says(W1, ready("echo", 9));
  says(C1, call("echo", { id: ID }, "x".repeat(3000)));
  const heavy = [Buffer.alloc(3000, "e"), ...call("echo", { id: ID }, "")];
  assert.match(says(C2, heavy).join(), /mmi.call 429 the queues are too large$/);
  assert.deepEqual(says(W1, reply(id(1), "HI")), ["c1 < mmi.call 200 HI"]);
});

test("retry with a heavier envelope: its weight counts until the call is settled", () => {
  const { says, broker } = dialog({ queueBytesMax: 5000 });
  says(W1, ready("echo", 9));
  says(C1, call("echo", { id: ID }, "hi"));
  says(C2, [Buffer.alloc(3000, "e"), ...call("echo", { id: ID }, "hi")]);
  says(C1, request("echo", "x".repeat(3000)));
  assert.equal(broker.counts().refused, 1);
  says(W1, reply(id(1), "HI"));
  says(C1, request("echo", "x".repeat(4000)));
  assert.equal(broker.counts().refused, 1);
});

test("retry of a requeued call: delivered under the same id, and the last client gets the reply", () => {
  const { says, vanishes } = dialog();
  says(W1, ready("echo", 1));
  says(C1, call("echo", { id: ID }, "hi"));
  vanishes(W1);
  says(C2, call("echo", { id: ID }, "hi"));
  assert.deepEqual(says(W2, ready("echo", 1)), ["w2 < REQUEST #1 hi"]);
  assert.deepEqual(says(W2, reply(id(1), "HI")), ["c2 < mmi.call 200 HI"]);
});

test("client of a retry disconnected: the previous client gets the reply", () => {
  const { says, vanishes } = dialog();
  says(W1, ready("echo", 1));
  says(C1, [Buffer.from("7"), ...call("echo", { id: ID }, "hi")]);
  // As if a message on a connection that its client has left came late.
  says(C2, call("echo", { id: ID }, "hi"));
  vanishes(C2);
  assert.deepEqual(says(W1, reply(id(1), "HI")), ["c1 < 7 mmi.call 200 HI"]);
});

test("previous client and last client disconnected: the reply awaits a third one", () => {
  const { says, vanishes } = dialog();
  says(W1, ready("echo", 1));
  says(C1, call("echo", { id: ID }, "hi"));
  says(C2, call("echo", { id: ID }, "hi"));
  says(C2, call("echo", { id: ID }, "hi"));
  vanishes(C1);
  vanishes(C2);
  assert.deepEqual(says(W1, reply(id(1), "HI")), []);
  assert.deepEqual(says(C3, call("echo", { id: ID }, "hi")), ["c3 < mmi.call 200 HI"]);
});

test("previous client with a heavy envelope: not remembered", () => {
  const { says, vanishes } = dialog();
  says(W1, ready("echo", 1));
  says(C1, [Buffer.alloc(200, "e"), ...call("echo", { id: ID }, "hi")]);
  says(C2, call("echo", { id: ID }, "hi"));
  vanishes(C2);
  assert.deepEqual(says(W1, reply(id(1), "HI")), []);
});

test("previous client gets the call back: the weight is that of its own envelope", () => {
  const { says, vanishes, broker } = dialog({ queueBytesMax: 5000 });
  says(C1, call("echo", { id: ID }, "hi"));
  says(C2, [Buffer.alloc(3000, "e"), ...call("echo", { id: ID }, "hi")]);
  says(C3, request("echo", "x".repeat(3000)));
  assert.equal(broker.counts().refused, 1);
  vanishes(C2);
  says(C3, request("echo", "x".repeat(3000)));
  assert.equal(broker.counts().refused, 1);
});

test("client disconnected: its calls with an id stay open, queued or in flight", () => {
  const { says, vanishes, broker } = dialog();
  says(W1, ready("echo", 1));
  says(C1, call("echo", { id: ID }, "in flight"));
  says(C1, call("echo", { id: OTHER_ID }, "queued"));
  says(C1, call("echo", "", "without an id"));
  assert.deepEqual(vanishes(C1), []);
  assert.equal(broker.counts().clientGone, 1);
  assert.deepEqual(says(C2, call("echo", { id: ID }, "in flight")), []);
  assert.deepEqual(says(W1, reply(id(1), "one")), [
    "c2 < mmi.call 200 one",
    "w1 < REQUEST #2 queued",
  ]);
  assert.deepEqual(says(W1, reply(id(2), "two")), []); // The call has no client now.
  assert.deepEqual(says(C2, call("echo", { id: OTHER_ID }, "queued")), ["c2 < mmi.call 200 two"]);
});

test("call without a client, delivered to a plain worker: an id is in the place of the client address", () => {
  const { says, vanishes } = dialog();
  says(C1, call("echo", { id: ID }, "hi"));
  vanishes(C1);
  assert.deepEqual(says(W1, ready("echo")), ["w1 < REQUEST #1 hi"]);
  says(C2, call("echo", { id: ID }, "hi"));
  assert.deepEqual(says(W1, reply(id(1), "HI")), ["c2 < mmi.call 200 HI"]);
});

test("previous client disconnected: the call stays with the last client", () => {
  const { says, vanishes } = dialog();
  says(W1, ready("echo", 1));
  says(C1, call("echo", { id: ID }, "hi"));
  says(C2, call("echo", { id: ID }, "hi"));
  vanishes(C1);
  assert.deepEqual(says(W1, reply(id(1), "HI")), ["c2 < mmi.call 200 HI"]);
});

test("call of 3 s and two retries: run once, answered once", () => {
  const { says, waits } = dialog();
  says(W1, ready("slow", 1));
  assert.deepEqual(says(C1, call("slow", { id: ID, ttl: 5000 }, "3 s")), ["w1 < REQUEST #1 3 s"]);
  waits(1000);
  assert.deepEqual(says(C1, call("slow", { id: ID, ttl: 5000 }, "3 s")), []);
  waits(1000);
  assert.deepEqual(says(C1, call("slow", { id: ID, ttl: 5000 }, "3 s")), []);
  waits(LEASE_MS - 2100);
  assert.deepEqual(says(W1, reply(id(1), "done")), ["c1 < mmi.call 200 done"]);
  assert.deepEqual(says(W1, disconnect), []);
});
