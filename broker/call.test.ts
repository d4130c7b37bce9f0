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
  const { sends } = dialog();
  sends(W1, ready("echo", 1));
  assert.deepEqual(sends(C1, call("echo", "", "hi", "")), ["w1 < REQUEST #1 hi "]);
  assert.deepEqual(sends(W1, reply(id(1), "HI", "")), ["c1 < mmi.call 200 HI "]);
});

test("28/REQREP: call with an envelope: it stands before the reply, and before a rejection", () => {
  const { sends } = dialog();
  sends(W1, ready("echo", 1));
  sends(C1, [Buffer.from("7"), ...call("echo", "", "hi")]);
  assert.deepEqual(sends(W1, reply(id(1), "HI")), ["c1 < 7 mmi.call 200 HI"]);
  assert.deepEqual(sends(C1, [Buffer.from("8"), ...call("echo", "{", "hi")]), [
    "c1 < 8 mmi.call 400 the options are not a JSON object",
  ]);
});

test("call to a plain 7/MDP worker: served like a plain request", () => {
  const { sends } = dialog();
  sends(W1, ready("echo"));
  assert.deepEqual(sends(C1, call("echo", { id: ID }, "hi")), ["w1 < REQUEST c1 hi"]);
  assert.deepEqual(sends(W1, reply(C1, "HI")), ["c1 < mmi.call 200 HI"]);
});

test("error reply of a service: its code is the status, and the error reply follows whole", () => {
  const { sends } = dialog();
  sends(W1, ready("db", 2));
  sends(C1, call("db", "", "put"));
  assert.deepEqual(sends(W1, failure(id(1))), ["c1 < mmi.call 409 it is taken mmi.error 409"]);
  sends(C2, request("db", "put"));
  assert.deepEqual(sends(W1, failure(id(2))), ["c2 < db it is taken mmi.error 409"]);
});

test("400: malformed call: rejected with the reason, and counted", () => {
  const { sends, broker } = dialog();
  assert.deepEqual(sends(C1, request("mmi.call", "")), ["c1 < mmi.call 400 no service name"]);
  assert.deepEqual(sends(C1, call("echo", '{"ttl":0}', "hi")), [
    "c1 < mmi.call 400 ttl is not a whole number of ms from 1 to 86400000",
  ]);
  assert.deepEqual(sends(C1, call("mmi.service", "", "echo")), [
    "c1 < mmi.call 400 mmi.* services cannot be called through mmi.call; send the request directly",
  ]);
  assert.equal(broker.counts().refused, 3);
});

test("ids that differ only in bytes that are not UTF-8: 400, and no call gets the reply of the other", () => {
  const { sends } = dialog();
  sends(W1, ready("echo", 3));
  const withByte = (byte: string) => `{"ttl":5000,"id":"${ID}${byte}"}`;
  for (const [client, byte] of [
    [C1, "\xff"],
    [C2, "\xfe"],
  ] as const)
    assert.deepEqual(sends(client, call("echo", withByte(byte), "hi")), [
      `${client} < mmi.call 400 the options are not UTF-8`,
    ]);
  assert.deepEqual(sends(C3, call("echo", withByte("\xef\xbf\xbd"), "hi")), ["w1 < REQUEST #1 hi"]);
});

test("404: no worker within the ttl, that of the call or that of the broker", () => {
  const { sends, waits } = dialog({ requestTtlMs: 2000 });
  sends(C1, call("echo", { ttl: 500 }, "hi"));
  sends(C2, call("echo", "", "hi"));
  assert.deepEqual(waits(400), []);
  assert.deepEqual(waits(100), ["c1 < mmi.call 404 no worker registered in time"]);
  assert.deepEqual(waits(1400), []);
  assert.deepEqual(waits(100), ["c2 < mmi.call 404 no worker registered in time"]);
  sends(C1, call("echo", { ttl: 105 }, "hi"));
  assert.deepEqual(waits(100), []);
  assert.deepEqual(waits(100), ["c1 < mmi.call 404 no worker registered in time"]);
});

test("408: ttl passed in the queue or in flight: the late reply is dropped", () => {
  const { sends, waits, broker } = dialog();
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", { ttl: 1000 }, "slow"));
  sends(C2, call("echo", { ttl: 900 }, "behind it"));
  assert.deepEqual(waits(900), ["c2 < mmi.call 408 expired in the queue"]);
  assert.deepEqual(waits(100), ["c1 < mmi.call 408 expired in flight"]);
  assert.deepEqual(sends(W1, reply(id(1), "late")), []);
  assert.deepEqual([broker.counts().expired, broker.counts().repliesDropped], [2, 1]);
});

test("408: ttl passed after the only worker was removed with the request: not 404", () => {
  const { sends, disconnects, waits } = dialog();
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", { ttl: 1000 }, "hi"));
  disconnects(W1);
  assert.deepEqual(waits(1000), ["c1 < mmi.call 408 expired in the queue"]);
});

test("calls with a ttl, shorter or longer than the broker's: each expires at its own time", () => {
  const { sends, waits, broker } = dialog({ requestTtlMs: 1000 });
  sends(C1, call("echo", { ttl: 5000 }, "long"));
  sends(C1, request("echo", "plain"));
  sends(C1, call("echo", { ttl: 105 }, "short"));
  waits(200);
  assert.equal(broker.counts().queued, 2);
  waits(800);
  assert.equal(broker.counts().queued, 1);
  waits(3900);
  assert.equal(broker.counts().queued, 1);
  assert.deepEqual(waits(100), ["c1 < mmi.call 404 no worker registered in time"]);
});

test("429: the transport holds too much for this client, until it does not", () => {
  const { sends, broker } = dialog();
  sends("w0", ready("light"));
  broker.memoryFull(new Set(["c1"]));
  const full = "the messages to and from clients and workers take too much memory";
  assert.deepEqual(sends("c1", call("echo", {}, "hi")), [`c1 < mmi.call 429 ${full}`]);
  assert.deepEqual(sends("c1", request("echo", "hi")), []);
  assert.deepEqual(sends("c2", call("light", {}, "hi")), ["w0 < REQUEST c2 hi"]);
  broker.memoryFull(new Set());
  sends("w1", ready("echo"));
  assert.deepEqual(sends("c1", call("echo", {}, "hi")), ["w1 < REQUEST c1 hi"]);
});

test("429: queueMax, queueBytesMax or servicesMax reached", () => {
  const full = dialog({ queueMax: 1 });
  full.sends(C1, call("echo", "", "1"));
  assert.deepEqual(full.sends(C1, call("echo", "", "2")), [
    "c1 < mmi.call 429 the service has too many open requests",
  ]);
  const heavy = dialog({ queueBytesMax: 1000 });
  assert.deepEqual(heavy.sends(C1, call("echo", "", "x".repeat(1000))), [
    "c1 < mmi.call 429 the open requests take too much memory",
  ]);
  const many = dialog({ servicesMax: 1 });
  many.sends(C1, call("echo", "", "1"));
  assert.deepEqual(many.sends(C2, call("math", "", "2")), ["c1 < mmi.call 429 too many services"]);
});

test("502: deliveriesMax workers gone with the request", () => {
  const { sends, disconnects } = dialog({ deliveriesMax: 2 });
  sends(W1, ready("echo", 1));
  sends(W2, ready("echo", 1));
  sends(C1, call("echo", "", "poison"));
  assert.deepEqual(disconnects(W1), ["w2 < REQUEST #1 poison"]);
  assert.deepEqual(disconnects(W2), [
    "c1 < mmi.call 502 2 workers were removed with the request in flight",
  ]);
});

test("retry of an open call: not run again, and the last client gets the reply", () => {
  const { sends, broker } = dialog();
  sends(W1, ready("echo", 9));
  assert.deepEqual(sends(C1, call("echo", { id: ID }, "slow")), ["w1 < REQUEST #1 slow"]);
  assert.deepEqual(sends(C1, call("echo", { id: ID }, "slow")), []);
  assert.deepEqual(sends(C2, [Buffer.from("7"), ...call("echo", { id: ID }, "slow")]), []);
  assert.deepEqual(sends(W1, reply(id(1), "once")), ["c2 < 7 mmi.call 200 once"]);
  assert.deepEqual([broker.counts().received, broker.counts().retried], [1, 2]);
});

test("retry of a settled call: gets the same outcome, a rejection too", () => {
  const { sends, waits, disconnects, broker } = dialog({ deliveriesMax: 1 });
  sends(W1, ready("echo", 9));
  sends(C1, call("echo", { id: ID }, "hi"));
  sends(W1, reply(id(1), "HI"));
  assert.deepEqual(sends(C2, call("echo", { id: ID }, "hi")), ["c2 < mmi.call 200 HI"]);
  assert.deepEqual(sends(C2, call("echo", { id: ID }, "hi")), ["c2 < mmi.call 200 HI"]);

  sends(C1, call("echo", { id: OTHER_ID }, "poison"));
  disconnects(W1);
  assert.deepEqual(sends(C3, call("echo", { id: OTHER_ID }, "poison")), [
    "c3 < mmi.call 502 its worker was removed with the request in flight",
  ]);
  assert.deepEqual(sends(C1, call("none", { id: "x".repeat(16), ttl: 100 }, "")), []);
  waits(100);
  assert.deepEqual(sends(C1, call("none", { id: "x".repeat(16), ttl: 100 }, "")), [
    "c1 < mmi.call 404 no worker registered in time",
  ]);
  assert.equal(broker.counts().received, 3);
});

test("retry of a call that was rejected at a bound: a new call", () => {
  const { sends } = dialog({ queueMax: 1 });
  sends(W1, ready("echo", 1));
  sends(C1, request("echo", "1"));
  assert.deepEqual(sends(C2, call("echo", { id: ID }, "2")), [
    "c2 < mmi.call 429 the service has too many open requests",
  ]);
  sends(W1, reply(id(1), "1"));
  assert.deepEqual(sends(C2, call("echo", { id: ID }, "2")), ["w1 < REQUEST #2 2"]);
});

test("retry with a ttl: the call may expire later, and no earlier", () => {
  const { sends, waits } = dialog();
  sends(C1, call("echo", { id: ID, ttl: 1000 }, "hi"));
  waits(900);
  sends(C1, call("echo", { id: ID, ttl: 1000 }, "hi"));
  sends(C1, call("echo", { id: ID, ttl: 1 }, "hi"));
  assert.deepEqual(waits(900), []);
  assert.deepEqual(waits(100), ["c1 < mmi.call 404 no worker registered in time"]);
});

test("outcomes beyond the bounds of age, number and bytes: the oldest are forgotten", () => {
  const ask = (name: string) => call("echo", { id: name.repeat(16) }, "hi");
  function answered(overrides: Parameters<typeof dialog>[0], replies: string[]) {
    const spoken = dialog(overrides);
    spoken.sends(W1, ready("echo", 9));
    for (const [nth, body] of replies.entries()) {
      spoken.sends(C1, ask("abc"[nth] ?? ""));
      spoken.sends(W1, reply(id(nth + 1), body));
    }
    return spoken;
  }
  const byAge = answered({ outcomesMs: 1000 }, ["A"]);
  byAge.waits(900);
  assert.deepEqual(byAge.sends(C1, ask("a")), ["c1 < mmi.call 200 A"]);
  byAge.waits(100);
  assert.deepEqual(byAge.sends(C1, ask("a")), ["w1 < REQUEST #2 hi"]);

  const byNumber = answered({ outcomesMax: 2 }, ["A", "B", "C"]);
  assert.deepEqual(byNumber.sends(C1, ask("b")), ["c1 < mmi.call 200 B"]);
  assert.deepEqual(byNumber.sends(C1, ask("c")), ["c1 < mmi.call 200 C"]);
  assert.deepEqual(byNumber.sends(C1, ask("a")), ["w1 < REQUEST #4 hi"]);

  const byBytes = answered({ outcomesBytesMax: 10_000 }, ["A".repeat(6000), "B".repeat(6000)]);
  assert.deepEqual(byBytes.sends(C1, ask("b")), [`c1 < mmi.call 200 ${"B".repeat(6000)}`]);
  assert.deepEqual(byBytes.sends(C1, ask("a")), ["w1 < REQUEST #3 hi"]);
});

test("id of a call to another service: rejected", () => {
  const { sends, broker } = dialog();
  sends(W1, ready("echo", 9));
  sends(C1, call("echo", { id: ID }, "hi"));
  const refused = ["c2 < mmi.call 400 this id is already used by a call to another service"];
  assert.deepEqual(sends(C2, call("math", { id: ID }, "hi")), refused);
  assert.deepEqual(sends(W1, reply(id(1), "HI")), ["c1 < mmi.call 200 HI"]);
  assert.deepEqual(sends(C2, call("math", { id: ID }, "hi")), refused);
  assert.equal(broker.counts().retried, 0);
});

test("retry with an envelope beyond queueBytesMax: rejected, and the first client gets the reply", () => {
  const { sends } = dialog({ queueBytesMax: 5000 });
  sends(W1, ready("echo", 9));
  sends(C1, call("echo", { id: ID }, "x".repeat(3000)));
  const heavy = [Buffer.alloc(3000, "e"), ...call("echo", { id: ID }, "")];
  assert.match(sends(C2, heavy).join(), /mmi.call 429 the open requests take too much memory$/);
  assert.deepEqual(sends(W1, reply(id(1), "HI")), ["c1 < mmi.call 200 HI"]);
});

test("retry with a heavier envelope: its weight counts until the call is settled", () => {
  const { sends, broker } = dialog({ queueBytesMax: 5000 });
  sends(W1, ready("echo", 9));
  sends(C1, call("echo", { id: ID }, "hi"));
  sends(C2, [Buffer.alloc(3000, "e"), ...call("echo", { id: ID }, "hi")]);
  sends(C1, request("echo", "x".repeat(3000)));
  assert.equal(broker.counts().refused, 1);
  sends(W1, reply(id(1), "HI"));
  sends(C1, request("echo", "x".repeat(4000)));
  assert.equal(broker.counts().refused, 1);
});

test("retry of a requeued call: delivered under the same id, and the last client gets the reply", () => {
  const { sends, disconnects } = dialog();
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", { id: ID }, "hi"));
  disconnects(W1);
  sends(C2, call("echo", { id: ID }, "hi"));
  assert.deepEqual(sends(W2, ready("echo", 1)), ["w2 < REQUEST #1 hi"]);
  assert.deepEqual(sends(W2, reply(id(1), "HI")), ["c2 < mmi.call 200 HI"]);
});

test("client of a retry disconnected: the previous client gets the reply", () => {
  const { sends, disconnects } = dialog();
  sends(W1, ready("echo", 1));
  sends(C1, [Buffer.from("7"), ...call("echo", { id: ID }, "hi")]);
  // As if a message on a connection that its client has left came late.
  sends(C2, call("echo", { id: ID }, "hi"));
  disconnects(C2);
  assert.deepEqual(sends(W1, reply(id(1), "HI")), ["c1 < 7 mmi.call 200 HI"]);
});

test("previous client and last client disconnected: the reply awaits a third one", () => {
  const { sends, disconnects } = dialog();
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", { id: ID }, "hi"));
  sends(C2, call("echo", { id: ID }, "hi"));
  sends(C2, call("echo", { id: ID }, "hi"));
  disconnects(C1);
  disconnects(C2);
  assert.deepEqual(sends(W1, reply(id(1), "HI")), []);
  assert.deepEqual(sends(C3, call("echo", { id: ID }, "hi")), ["c3 < mmi.call 200 HI"]);
});

test("previous client gets the call back: the weight is that of its own envelope", () => {
  const { sends, disconnects, broker } = dialog({ queueBytesMax: 5000 });
  sends(C1, call("echo", { id: ID }, "hi"));
  sends(C2, [Buffer.alloc(3000, "e"), ...call("echo", { id: ID }, "hi")]);
  sends(C3, request("echo", "x".repeat(3000)));
  assert.equal(broker.counts().refused, 1);
  disconnects(C2);
  sends(C3, request("echo", "x".repeat(3000)));
  assert.equal(broker.counts().refused, 1);
});

test("client disconnected: its calls with an id stay open, queued or in flight", () => {
  const { sends, disconnects, broker } = dialog();
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", { id: ID }, "in flight"));
  sends(C1, call("echo", { id: OTHER_ID }, "queued"));
  sends(C1, call("echo", "", "without an id"));
  assert.deepEqual(disconnects(C1), []);
  assert.equal(broker.counts().clientGone, 1);
  assert.deepEqual(sends(C2, call("echo", { id: ID }, "in flight")), []);
  assert.deepEqual(sends(W1, reply(id(1), "one")), [
    "c2 < mmi.call 200 one",
    "w1 < REQUEST #2 queued",
  ]);
  assert.deepEqual(sends(W1, reply(id(2), "two")), []); // The call has no client now.
  assert.deepEqual(sends(C2, call("echo", { id: OTHER_ID }, "queued")), ["c2 < mmi.call 200 two"]);
});

test("call without a client, delivered to a plain worker: an id is in the place of the client address", () => {
  const { sends, disconnects } = dialog();
  sends(C1, call("echo", { id: ID }, "hi"));
  disconnects(C1);
  assert.deepEqual(sends(W1, ready("echo")), ["w1 < REQUEST #1 hi"]);
  sends(C2, call("echo", { id: ID }, "hi"));
  assert.deepEqual(sends(W1, reply(id(1), "HI")), ["c2 < mmi.call 200 HI"]);
});

test("previous client disconnected: the call stays with the last client", () => {
  const { sends, disconnects } = dialog();
  sends(W1, ready("echo", 1));
  sends(C1, call("echo", { id: ID }, "hi"));
  sends(C2, call("echo", { id: ID }, "hi"));
  disconnects(C1);
  assert.deepEqual(sends(W1, reply(id(1), "HI")), ["c2 < mmi.call 200 HI"]);
});

test("call of 3 s and two retries: run once, answered once", () => {
  const { sends, waits } = dialog();
  sends(W1, ready("slow", 1));
  assert.deepEqual(sends(C1, call("slow", { id: ID, ttl: 5000 }, "3 s")), ["w1 < REQUEST #1 3 s"]);
  waits(1000);
  assert.deepEqual(sends(C1, call("slow", { id: ID, ttl: 5000 }, "3 s")), []);
  waits(1000);
  assert.deepEqual(sends(C1, call("slow", { id: ID, ttl: 5000 }, "3 s")), []);
  waits(LEASE_MS - 2100);
  assert.deepEqual(sends(W1, reply(id(1), "done")), ["c1 < mmi.call 200 done"]);
  assert.deepEqual(sends(W1, disconnect), []);
});
