// Replies that come in parts (18/MDP): who is told what, and when, and what is kept meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_1_TEXT, MDP_0_2 } from "../protocol/dialects.ts";
import {
  call,
  callIn,
  dialog,
  id,
  inDialect,
  reply as plainReply,
  request,
} from "./dialog.testing.ts";

const { ready, partial, reply, request: streamed, disconnect } = inDialect(MDP_0_2);
const streamedCall = callIn(MDP_0_2);
const ID = "an id that is long enough";
const LOST = "its worker was removed in the middle of the reply";

test("18/MDP: PARTIALs go to a client of 0.2 at once, and the FINAL ends it", () => {
  const { says, broker } = dialog();
  says("w1", ready("count"));
  says("c1", streamed("count", "3"));
  assert.deepEqual(says("w1", partial("c1", "one")), ["c1 < PARTIAL count one"]);
  assert.deepEqual(says("w1", partial("c1", "two", "")), ["c1 < PARTIAL count two "]);
  assert.equal(broker.counts().inFlight, 1);
  assert.deepEqual(says("w1", reply("c1", "three")), ["c1 < FINAL count three"]);
  assert.equal(broker.counts().answered, 1);
});

test("a client of 0.1 gets them all in its one REPLY, in order", () => {
  const { says } = dialog();
  says("w1", ready("count"));
  says("c1", request("count", "3"));
  assert.deepEqual(says("w1", partial("c1", "one")), []);
  assert.deepEqual(says("w1", partial("c1", "two", "")), []);
  assert.deepEqual(says("w1", reply("c1", "three")), ["c1 < count one two  three"]);
});

test("a part keeps the worker's place taken, and is a sign of life", () => {
  const { says, waits, broker } = dialog();
  says("w1", ready("count"));
  says("c1", streamed("count", "3"));
  assert.deepEqual(says("c2", streamed("count", "4")), []);
  for (let second = 0; second < 10; second += 1) {
    waits(1000);
    says("w1", partial("c1", `${second}`));
  }
  assert.equal(broker.counts().workers, 1);
  assert.deepEqual(says("w1", reply("c1", "end")), [
    "c1 < FINAL count end",
    "w1 < REQUEST c2 4 (0.2)",
  ]);
});

test("206: a call of 0.2 has a status before each part", () => {
  const { says } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamedCall("count", {}, "3"));
  assert.deepEqual(says("w1", partial(id(1), "one")), ["c1 < PARTIAL mmi.call 206 one"]);
  assert.deepEqual(says("w1", reply(id(1), "two")), ["c1 < FINAL mmi.call 200 two"]);
  says("c1", call("count", {}, "3"));
  assert.deepEqual(says("w1", partial(id(2), "one")), []);
  assert.deepEqual(says("w1", reply(id(2), "two")), ["c1 < mmi.call 200 one two"]);
});

test("a failure is the whole reply, whatever parts came before it", () => {
  const failure = ["no more", "mmi.error", "500"];
  const { says } = dialog();
  says("w1", ready("count", 4));
  says("c1", request("count", "3"));
  says("w1", partial(id(1), "one"));
  assert.deepEqual(says("w1", reply(id(1), ...failure)), ["c1 < count no more mmi.error 500"]);
  says("c1", call("count", { id: ID }, "3"));
  says("w1", partial(id(2), "one"));
  const told = ["c1 < mmi.call 500 no more mmi.error 500"];
  assert.deepEqual(says("w1", reply(id(2), ...failure)), told);
  assert.deepEqual(says("c1", call("count", { id: ID }, "3")), told);
  says("c1", streamedCall("count", {}, "3"));
  says("w1", partial(id(3), "one"));
  assert.deepEqual(says("w1", reply(id(3), ...failure)), [
    "c1 < FINAL mmi.call 500 no more mmi.error 500",
  ]);
});

test("lost in the middle, nothing having gone out: the request is given to another", () => {
  const { says, vanishes, broker } = dialog();
  says("w1", ready("count"));
  says("c1", request("count", "3"));
  says("w1", partial("c1", "one of the first"));
  assert.deepEqual(vanishes("w1"), []);
  assert.deepEqual(says("w2", ready("count")), ["w2 < REQUEST c1 3 (0.2)"]);
  says("w2", partial("c1", "one"));
  assert.deepEqual(says("w2", reply("c1", "two")), ["c1 < count one two"]);
  assert.deepEqual([broker.counts().requeued, broker.counts().answered], [1, 1]);
});

test("lost in the middle, a part having gone out: the client is told, and nobody else is given it", () => {
  for (const end of ["gone", "left", "rejected", "expired"]) {
    const { says, vanishes, waits, log, broker } = dialog();
    says("w1", ready("count", 4));
    says("c1", streamed("count", "3"));
    says("c2", streamedCall("count", { id: ID }, "4"));
    says("c3", streamed("count", "5"));
    says("w1", partial(id(1), "one"));
    says("w1", partial(id(2), "one"));
    says("w2", ready("count", 4));
    const lines =
      end === "gone"
        ? vanishes("w1")
        : end === "left"
          ? says("w1", disconnect)
          : end === "rejected"
            ? says("w1", ready("count")).filter((line) => !line.includes("DISCONNECT"))
            : [...waits(2900), ...says("w2", inDialect(MDP_0_2).heartbeatCommand), ...waits(200)];
    assert.deepEqual(lines, [
      `c1 < FINAL count ${LOST} mmi.error 502`,
      `c2 < FINAL mmi.call 502 ${LOST}`,
      "w2 < REQUEST #3 5 (0.2)",
    ]);
    const removed = log.find(({ event }) => event === "worker.removed");
    assert.ok(removed?.event === "worker.removed");
    assert.deepEqual([removed.requeued, removed.brokenOff, removed.quarantined], [1, 2, 0]);
    assert.equal(broker.counts().refused, 2);
    assert.deepEqual(says("c2", streamedCall("count", { id: ID }, "4")), [
      `c2 < FINAL mmi.call 502 ${LOST}`,
    ]);
  }
});

test("what breaks off at its last delivery is not quarantined", () => {
  const { says, vanishes, log, broker } = dialog({ deliveriesMax: 1 });
  says("w1", ready("count", 4));
  says("c1", streamed("count", "3"));
  says("w1", partial(id(1), "one"));
  assert.deepEqual(vanishes("w1"), [`c1 < FINAL count ${LOST} mmi.error 502`]);
  const removed = log.find(({ event }) => event === "worker.removed");
  assert.ok(removed?.event === "worker.removed");
  assert.deepEqual([removed.requeued, removed.brokenOff, removed.quarantined], [0, 1, 0]);
  assert.deepEqual([broker.counts().refused, broker.counts().quarantined], [1, 0]);
});

test("past its ttl in the middle, the client is told so", () => {
  const { says, waits } = dialog({ requestTtlMs: 1000 });
  says("w1", ready("count", 4));
  says("c1", streamed("count", "3"));
  says("c2", streamed("count", "4"));
  says("w1", partial(id(1), "one"));
  assert.deepEqual(waits(1000), ["c1 < FINAL count expired in flight mmi.error 408"]);
  assert.deepEqual(says("w1", partial(id(1), "two")), []);
  assert.deepEqual(says("w1", reply(id(1), "three")), []);
});

test("what is no longer its worker's is dropped, and a part of nothing ends the conversation", () => {
  const { says, vanishes, broker } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamed("count", "3"));
  says("c1", streamed("count", "4"));
  assert.deepEqual(says("w1", partial(id(9), "one")), []);
  assert.equal(broker.counts().repliesDropped, 1);
  vanishes("c1");
  assert.deepEqual(says("w1", partial(id(1), "one")), []);
  assert.equal(broker.counts().repliesDropped, 2);
  says("w1", reply(id(1), "two"));
  says("w1", reply(id(2), "two"));
  assert.deepEqual(says("w1", partial(id(1), "one")), ["w1 < DISCONNECT (0.2)"]);
  assert.deepEqual(says("w2", partial("c1", "one")), ["w2 < DISCONNECT (0.2)"]);
});

test("there is no PARTIAL in 0.1", () => {
  const words = inDialect(MDP_0_1_TEXT);
  const { says, broker } = dialog();
  says("w1", words.ready("count"));
  says("c1", streamed("count", "3"));
  const [empty, header, , ...rest] = words.reply("c1", "one") as [Buffer, Buffer, Buffer];
  const frames = [empty, header, Buffer.from("PARTIAL"), ...rest];
  assert.deepEqual(says("w1", frames), ["w1 < DISCONNECT (0.1-text)"]);
  assert.equal(broker.counts().queued, 1);
});

test("retry: who asks again in the middle has missed nothing", () => {
  const { says, vanishes } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamedCall("count", { id: ID }, "3"));
  says("w1", partial(id(1), "one"));
  says("w1", partial(id(1), "two"));
  assert.deepEqual(says("c2", streamedCall("count", { id: ID }, "3")), [
    "c2 < PARTIAL mmi.call 206 one two",
  ]);
  assert.deepEqual(says("w1", partial(id(1), "three")), ["c2 < PARTIAL mmi.call 206 three"]);
  vanishes("c2");
  assert.deepEqual(says("w1", partial(id(1), "four")), []);
  assert.deepEqual(says("c3", call("count", { id: ID }, "3")), []);
  const whole = "one two three four five";
  assert.deepEqual(says("w1", reply(id(1), "five")), [`c3 < mmi.call 200 ${whole}`]);
  assert.deepEqual(says("c4", call("count", { id: ID }, "3")), [`c4 < mmi.call 200 ${whole}`]);
  assert.deepEqual(says("c4", streamedCall("count", { id: ID }, "3")), [
    `c4 < FINAL mmi.call 200 ${whole}`,
  ]);
});

test("retry: should whoever asked last go away, whoever asked before is told all of it", () => {
  const { says, vanishes } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamedCall("count", { id: ID }, "3"));
  says("c2", streamedCall("count", { id: ID }, "3"));
  says("w1", partial(id(1), "one"));
  assert.deepEqual(vanishes("c2"), ["c1 < PARTIAL mmi.call 206 one"]);
  assert.deepEqual(says("w1", partial(id(1), "two")), ["c1 < PARTIAL mmi.call 206 two"]);
});

test("retry: whoever waits again is refused when what it has missed was not kept", () => {
  const { says, vanishes, broker } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamedCall("count", { id: ID }, "3"));
  says("c2", streamedCall("count", { id: ID }, "3"));
  for (let nth = 0; nth < 4; nth += 1) says("w1", partial(id(1), LONG));
  assert.deepEqual(vanishes("c2"), [`c1 < FINAL mmi.call 500 ${TOO_LONG}`]);
  assert.deepEqual(says("w1", reply(id(1), "end")), []);
  assert.equal(broker.counts().repliesDropped, 1);
});

test("retry: who was sent a part and was asked out of the call is sent no more", () => {
  const { says, vanishes } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamedCall("count", { id: ID }, "3"));
  says("w1", partial(id(1), "one"));
  says("c2", streamedCall("count", { id: ID }, "3"));
  assert.deepEqual(vanishes("c2"), []);
  assert.deepEqual(says("w1", reply(id(1), "two")), []);
});

test("retry: a reply that was passed on in parts is told again as a whole", () => {
  const { says } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamedCall("count", { id: ID }, "3"));
  says("w1", partial(id(1), "one"));
  assert.deepEqual(says("w1", reply(id(1), "two")), ["c1 < FINAL mmi.call 200 two"]);
  assert.deepEqual(says("c1", call("count", { id: ID }, "3")), ["c1 < mmi.call 200 one two"]);
});

test("retry: who asks again before there is a part is sent none", () => {
  const { says } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamedCall("count", { id: ID }, "3"));
  assert.deepEqual(says("c2", streamedCall("count", { id: ID }, "3")), []);
  assert.deepEqual(says("w1", partial(id(1), "one")), ["c2 < PARTIAL mmi.call 206 one"]);
});

test("a client that asked again and has no part yet does not keep the request from another worker", () => {
  const { says, vanishes } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamedCall("count", { id: ID }, "3"));
  says("w1", partial(id(1), "one"));
  says("c2", call("count", { id: ID }, "3"));
  vanishes("w1");
  assert.deepEqual(says("w2", ready("count", 4)), ["w2 < REQUEST #1 3 (0.2)"]);
  assert.deepEqual(says("w2", reply(id(1), "all")), ["c2 < mmi.call 200 all"]);
});

const LONG = "x".repeat(30_000);
const TOO_LONG = "the parts of the reply exceed the broker's bounds";

test("bounds: what is kept for a client of 0.1 is as much as a message has", () => {
  const { says, broker } = dialog();
  says("w1", ready("count", 4));
  says("c1", request("count", "3"));
  says("c2", call("count", {}, "3"));
  for (let nth = 0; nth < 3; nth += 1) {
    assert.deepEqual(says("w1", partial(id(1), LONG)), []);
    assert.deepEqual(says("w1", partial(id(2), LONG)), []);
  }
  assert.deepEqual(says("w1", partial(id(1), LONG)), []);
  assert.deepEqual(says("w1", reply(id(2), LONG)), [`c2 < mmi.call 500 ${TOO_LONG}`]);
  assert.equal(broker.counts().refused, 2);
  assert.deepEqual(says("w1", reply(id(1), "end")), []);
  assert.equal(broker.counts().repliesDropped, 1);
});

test("bounds: it counts among the bytes of all open requests, and comes free again", () => {
  const { says } = dialog({ queueBytesMax: 40_000 });
  says("w1", ready("count", 4));
  says("c1", request("count", "3"));
  says("w1", partial(id(1), LONG));
  assert.deepEqual(says("c2", call("count", {}, LONG)), [
    "c2 < mmi.call 429 the queues are too large",
  ]);
  says("c3", call("count", {}, "3"));
  assert.deepEqual(says("w1", partial(id(2), LONG)), [`c3 < mmi.call 500 ${TOO_LONG}`]);
  says("w1", reply(id(1), "end"));
  assert.deepEqual(says("c2", call("count", {}, LONG)), [`w1 < REQUEST #3 ${LONG} (0.2)`]);
});

test("bounds: a stream may be longer, and is not told again then", () => {
  const { says } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamed("count", "3"));
  says("c2", streamedCall("count", { id: ID }, "3"));
  for (let nth = 0; nth < 10; nth += 1) {
    assert.deepEqual(says("w1", partial(id(1), LONG)), [`c1 < PARTIAL count ${LONG}`]);
    assert.deepEqual(says("w1", partial(id(2), LONG)), [`c2 < PARTIAL mmi.call 206 ${LONG}`]);
  }
  const refused = [`c3 < FINAL mmi.call 500 ${TOO_LONG}`];
  assert.deepEqual(says("c3", streamedCall("count", { id: ID }, "3")), refused);
  assert.deepEqual(says("w1", reply(id(1), "end")), ["c1 < FINAL count end"]);
  assert.deepEqual(says("w1", reply(id(2), "end")), ["c2 < FINAL mmi.call 200 end"]);
  assert.deepEqual(says("c3", streamedCall("count", { id: ID }, "3")), refused);
});

test("bounds: what nobody can ask for again is not kept", () => {
  const { says } = dialog({ queueBytesMax: 40_000 });
  says("w1", ready("count", 4));
  says("c1", streamed("count", "3"));
  says("w1", partial(id(1), LONG));
  assert.deepEqual(says("c2", call("count", {}, LONG)), [`w1 < REQUEST #2 ${LONG} (0.2)`]);
});

test("bounds: what was let go of comes free at once", () => {
  const lost = dialog({ queueBytesMax: 40_000 });
  lost.says("w1", ready("count", 4));
  lost.says("c1", request("count", "3"));
  lost.says("w1", partial(id(1), LONG));
  lost.vanishes("w1");
  assert.deepEqual(lost.says("c2", call("math", {}, LONG)), []);

  const tooLong = dialog({ queueBytesMax: 70_000 });
  tooLong.says("w1", ready("count", 4));
  tooLong.says("c1", streamedCall("count", { id: ID }, "3"));
  for (let nth = 0; nth < 3; nth += 1) tooLong.says("w1", partial(id(1), LONG));
  const told = tooLong.says("c2", call("count", {}, LONG));
  assert.deepEqual(told, [`w1 < REQUEST #2 ${LONG} (0.2)`]);
});

test("bounds: a reply without parts is passed on, however much is queued", () => {
  const { says } = dialog({ queueBytesMax: 40_000 });
  says("w1", ready("count"));
  says("c1", call("count", {}, "3"));
  says("c2", call("count", {}, LONG));
  assert.deepEqual(says("w1", reply("c1", LONG)), [
    `c1 < mmi.call 200 ${LONG}`,
    `w1 < REQUEST c2 ${LONG} (0.2)`,
  ]);
});

test("bounds: a stream whose client is gone ends where no more of it is kept", () => {
  const { says, vanishes, broker } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamedCall("count", { id: ID }, "3"));
  for (let nth = 0; nth < 3; nth += 1) says("w1", partial(id(1), LONG));
  vanishes("c1");
  assert.deepEqual(says("w1", partial(id(1), LONG)), []);
  assert.equal(broker.counts().refused, 1);
  const told = says("c2", call("count", { id: ID }, "3"));
  assert.deepEqual(told, [`c2 < mmi.call 500 ${TOO_LONG}`]);
});

test("bounds: one that was not kept any more before its client was gone is answered, to nobody", () => {
  const { says, vanishes, broker } = dialog();
  says("w1", ready("count", 4));
  says("c1", streamedCall("count", { id: ID }, "3"));
  for (let nth = 0; nth < 4; nth += 1) says("w1", partial(id(1), LONG));
  vanishes("c1");
  assert.deepEqual(says("w1", partial(id(1), LONG)), []);
  assert.deepEqual(says("w1", reply(id(1), "end")), []);
  assert.equal(broker.counts().answered, 1);
  const told = says("c2", call("count", { id: ID }, "3"));
  assert.deepEqual(told, [`c2 < mmi.call 500 ${TOO_LONG}`]);
});

test("bounds: frames are counted, too", () => {
  const { says } = dialog({ messageBytesMax: 100_000_000, queueBytesMax: 100_000_000 });
  const many = new Array<string>(32_768).fill("");
  says("w1", ready("count", 4));
  says("c1", call("count", {}, "3"));
  says("w1", partial(id(1), ...many));
  assert.deepEqual(says("w1", partial(id(1), ...many)), [`c1 < mmi.call 500 ${TOO_LONG}`]);
});

test("a REPLY of a worker of 0.1 is a FINAL without parts to a client of 0.2", () => {
  const { says } = dialog();
  says("w1", inDialect(MDP_0_1_TEXT).ready("echo"));
  says("c1", streamed("echo", "a"));
  assert.deepEqual(says("w1", inDialect(MDP_0_1_TEXT).reply("c1", "A")), ["c1 < FINAL echo A"]);
  assert.deepEqual(says("w1", plainReply("c1", "A")), ["w1 < DISCONNECT (0.1-text)"]);
});
