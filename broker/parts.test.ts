// Replies in parts (18/MDP, PARTIAL): which client receives which part when, and the parts that the
// broker keeps.

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
const BROKEN_OFF = "its worker was removed in the middle of the reply";

test("18/MDP: PARTIAL to a client of 0.2: sent at once, and FINAL ends the reply", () => {
  const { sends, broker } = dialog();
  sends("w1", ready("count"));
  sends("c1", streamed("count", "3"));
  assert.deepEqual(sends("w1", partial("c1", "one")), ["c1 < PARTIAL count one"]);
  assert.deepEqual(sends("w1", partial("c1", "two", "")), ["c1 < PARTIAL count two "]);
  assert.equal(broker.counts().inFlight, 1);
  assert.deepEqual(sends("w1", reply("c1", "three")), ["c1 < FINAL count three"]);
  assert.equal(broker.counts().answered, 1);
});

test("parts for a client of 0.1: all in one REPLY, in order", () => {
  const { sends } = dialog();
  sends("w1", ready("count"));
  sends("c1", request("count", "3"));
  assert.deepEqual(sends("w1", partial("c1", "one")), []);
  assert.deepEqual(sends("w1", partial("c1", "two", "")), []);
  assert.deepEqual(sends("w1", reply("c1", "three")), ["c1 < count one two  three"]);
});

test("PARTIAL from a worker: renews its lease, and the request stays in flight", () => {
  const { sends, waits, broker } = dialog();
  sends("w1", ready("count"));
  sends("c1", streamed("count", "3"));
  assert.deepEqual(sends("c2", streamed("count", "4")), []);
  for (let second = 0; second < 10; second += 1) {
    waits(1000);
    sends("w1", partial("c1", `${second}`));
  }
  assert.equal(broker.counts().workers, 1);
  assert.deepEqual(sends("w1", reply("c1", "end")), [
    "c1 < FINAL count end",
    "w1 < REQUEST c2 4 (0.2)",
  ]);
});

test("206: call of 0.2: a status stands before each part", () => {
  const { sends } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamedCall("count", {}, "3"));
  assert.deepEqual(sends("w1", partial(id(1), "one")), ["c1 < PARTIAL mmi.call 206 one"]);
  assert.deepEqual(sends("w1", reply(id(1), "two")), ["c1 < FINAL mmi.call 200 two"]);
  sends("c1", call("count", {}, "3"));
  assert.deepEqual(sends("w1", partial(id(2), "one")), []);
  assert.deepEqual(sends("w1", reply(id(2), "two")), ["c1 < mmi.call 200 one two"]);
});

test("error reply after parts: it replaces the parts", () => {
  const failure = ["no more", "mmi.error", "500"];
  const { sends } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", request("count", "3"));
  sends("w1", partial(id(1), "one"));
  assert.deepEqual(sends("w1", reply(id(1), ...failure)), ["c1 < count no more mmi.error 500"]);
  sends("c1", call("count", { id: ID }, "3"));
  sends("w1", partial(id(2), "one"));
  const lines = ["c1 < mmi.call 500 no more mmi.error 500"];
  assert.deepEqual(sends("w1", reply(id(2), ...failure)), lines);
  assert.deepEqual(sends("c1", call("count", { id: ID }, "3")), lines);
  sends("c1", streamedCall("count", {}, "3"));
  sends("w1", partial(id(3), "one"));
  assert.deepEqual(sends("w1", reply(id(3), ...failure)), [
    "c1 < FINAL mmi.call 500 no more mmi.error 500",
  ]);
});

test("worker removed in mid-reply, no part sent to the client: another worker gets the request", () => {
  const { sends, disconnects, broker } = dialog();
  sends("w1", ready("count"));
  sends("c1", request("count", "3"));
  sends("w1", partial("c1", "one of the first"));
  assert.deepEqual(disconnects("w1"), []);
  assert.deepEqual(sends("w2", ready("count")), ["w2 < REQUEST c1 3 (0.2)"]);
  sends("w2", partial("c1", "one"));
  assert.deepEqual(sends("w2", reply("c1", "two")), ["c1 < count one two"]);
  assert.deepEqual([broker.counts().requeued, broker.counts().answered], [1, 1]);
});

test("worker removed in mid-reply, a part sent to the client: 504, and no other worker gets the request", () => {
  for (const end of ["gone", "left", "rejected", "expired"]) {
    const { sends, disconnects, waits, log, broker } = dialog();
    sends("w1", ready("count", 4));
    sends("c1", streamed("count", "3"));
    sends("c2", streamedCall("count", { id: ID }, "4"));
    sends("c3", streamed("count", "5"));
    sends("w1", partial(id(1), "one"));
    sends("w1", partial(id(2), "one"));
    sends("w2", ready("count", 4));
    const lines =
      end === "gone"
        ? disconnects("w1")
        : end === "left"
          ? sends("w1", disconnect)
          : end === "rejected"
            ? sends("w1", ready("count")).filter((line) => !line.includes("DISCONNECT"))
            : [...waits(2900), ...sends("w2", inDialect(MDP_0_2).heartbeatCommand), ...waits(200)];
    assert.deepEqual(lines, [
      `c1 < FINAL count ${BROKEN_OFF} mmi.error 504`,
      `c2 < FINAL mmi.call 504 ${BROKEN_OFF}`,
      "w2 < REQUEST #3 5 (0.2)",
    ]);
    const removed = log.find(({ event }) => event === "worker.removed");
    assert.ok(removed?.event === "worker.removed");
    assert.deepEqual([removed.requeued, removed.brokenOff, removed.quarantined], [1, 2, 0]);
    assert.equal(broker.counts().refused, 2);
    assert.deepEqual(sends("c2", streamedCall("count", { id: ID }, "4")), [
      `c2 < FINAL mmi.call 504 ${BROKEN_OFF}`,
    ]);
  }
});

test("worker removed in mid-reply at the last delivery: 504, not quarantined", () => {
  const { sends, disconnects, log, broker } = dialog({ deliveriesMax: 1 });
  sends("w1", ready("count", 4));
  sends("c1", streamed("count", "3"));
  sends("w1", partial(id(1), "one"));
  assert.deepEqual(disconnects("w1"), [`c1 < FINAL count ${BROKEN_OFF} mmi.error 504`]);
  const removed = log.find(({ event }) => event === "worker.removed");
  assert.ok(removed?.event === "worker.removed");
  assert.deepEqual([removed.requeued, removed.brokenOff, removed.quarantined], [0, 1, 0]);
  assert.deepEqual([broker.counts().refused, broker.counts().quarantined], [1, 0]);
});

test("ttl passed in mid-reply: the client gets an error reply", () => {
  const { sends, waits } = dialog({ requestTtlMs: 1000 });
  sends("w1", ready("count", 4));
  sends("c1", streamed("count", "3"));
  sends("c2", streamed("count", "4"));
  sends("w1", partial(id(1), "one"));
  assert.deepEqual(waits(1000), ["c1 < FINAL count expired in flight mmi.error 408"]);
  assert.deepEqual(sends("w1", partial(id(1), "two")), []);
  assert.deepEqual(sends("w1", reply(id(1), "three")), []);
});

test("PARTIAL without a request: dropped, and DISCONNECT if the worker has nothing in flight", () => {
  const { sends, disconnects, broker } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamed("count", "3"));
  sends("c1", streamed("count", "4"));
  assert.deepEqual(sends("w1", partial(id(9), "one")), []);
  assert.equal(broker.counts().repliesDropped, 1);
  disconnects("c1");
  assert.deepEqual(sends("w1", partial(id(1), "one")), []);
  assert.equal(broker.counts().repliesDropped, 2);
  sends("w1", reply(id(1), "two"));
  sends("w1", reply(id(2), "two"));
  assert.deepEqual(sends("w1", partial(id(1), "one")), ["w1 < DISCONNECT (0.2)"]);
  assert.deepEqual(sends("w2", partial("c1", "one")), ["w2 < DISCONNECT (0.2)"]);
});

test("PARTIAL in the text dialect, which has none: DISCONNECT", () => {
  const words = inDialect(MDP_0_1_TEXT);
  const { sends, broker } = dialog();
  sends("w1", words.ready("count"));
  sends("c1", streamed("count", "3"));
  const [empty, header, , ...rest] = words.reply("c1", "one") as [Buffer, Buffer, Buffer];
  const frames = [empty, header, Buffer.from("PARTIAL"), ...rest];
  assert.deepEqual(sends("w1", frames), ["w1 < DISCONNECT (0.1-text)"]);
  assert.equal(broker.counts().queued, 1);
});

test("retry in mid-reply: gets all parts so far, then each new one", () => {
  const { sends, disconnects } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamedCall("count", { id: ID }, "3"));
  sends("w1", partial(id(1), "one"));
  sends("w1", partial(id(1), "two"));
  assert.deepEqual(sends("c2", streamedCall("count", { id: ID }, "3")), [
    "c2 < PARTIAL mmi.call 206 one two",
  ]);
  assert.deepEqual(sends("w1", partial(id(1), "three")), ["c2 < PARTIAL mmi.call 206 three"]);
  disconnects("c2");
  assert.deepEqual(sends("w1", partial(id(1), "four")), []);
  assert.deepEqual(sends("c3", call("count", { id: ID }, "3")), []);
  const whole = "one two three four five";
  assert.deepEqual(sends("w1", reply(id(1), "five")), [`c3 < mmi.call 200 ${whole}`]);
  assert.deepEqual(sends("c4", call("count", { id: ID }, "3")), [`c4 < mmi.call 200 ${whole}`]);
  assert.deepEqual(sends("c4", streamedCall("count", { id: ID }, "3")), [
    `c4 < FINAL mmi.call 200 ${whole}`,
  ]);
});

test("client of a retry disconnected in mid-reply: the previous client gets all parts", () => {
  const { sends, disconnects } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamedCall("count", { id: ID }, "3"));
  sends("c2", streamedCall("count", { id: ID }, "3"));
  sends("w1", partial(id(1), "one"));
  assert.deepEqual(disconnects("c2"), ["c1 < PARTIAL mmi.call 206 one"]);
  assert.deepEqual(sends("w1", partial(id(1), "two")), ["c1 < PARTIAL mmi.call 206 two"]);
});

test("client of a retry disconnected after parts were dropped: the previous client gets 500", () => {
  const { sends, disconnects, broker } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamedCall("count", { id: ID }, "3"));
  sends("c2", streamedCall("count", { id: ID }, "3"));
  for (let nth = 0; nth < 4; nth += 1) sends("w1", partial(id(1), LONG));
  assert.deepEqual(disconnects("c2"), [`c1 < FINAL mmi.call 500 ${TOO_LARGE}`]);
  assert.deepEqual(sends("w1", reply(id(1), "end")), []);
  assert.equal(broker.counts().repliesDropped, 1);
});

test("previous client that has a part already: not remembered", () => {
  const { sends, disconnects } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamedCall("count", { id: ID }, "3"));
  sends("w1", partial(id(1), "one"));
  sends("c2", streamedCall("count", { id: ID }, "3"));
  assert.deepEqual(disconnects("c2"), []);
  assert.deepEqual(sends("w1", reply(id(1), "two")), []);
});

test("retry after a reply in parts: gets the whole reply", () => {
  const { sends } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamedCall("count", { id: ID }, "3"));
  sends("w1", partial(id(1), "one"));
  assert.deepEqual(sends("w1", reply(id(1), "two")), ["c1 < FINAL mmi.call 200 two"]);
  assert.deepEqual(sends("c1", call("count", { id: ID }, "3")), ["c1 < mmi.call 200 one two"]);
});

test("retry before the first part: gets nothing yet, then each part", () => {
  const { sends } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamedCall("count", { id: ID }, "3"));
  assert.deepEqual(sends("c2", streamedCall("count", { id: ID }, "3")), []);
  assert.deepEqual(sends("w1", partial(id(1), "one")), ["c2 < PARTIAL mmi.call 206 one"]);
});

test("retry that has no part yet, worker removed: another worker gets the request", () => {
  const { sends, disconnects } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamedCall("count", { id: ID }, "3"));
  sends("w1", partial(id(1), "one"));
  sends("c2", call("count", { id: ID }, "3"));
  disconnects("w1");
  assert.deepEqual(sends("w2", ready("count", 4)), ["w2 < REQUEST #1 3 (0.2)"]);
  assert.deepEqual(sends("w2", reply(id(1), "all")), ["c2 < mmi.call 200 all"]);
});

const LONG = "x".repeat(30_000);
const TOO_LARGE = "the parts of the reply exceed the broker's bounds";

test("parts for a client of 0.1 beyond messageBytesMax: rejected", () => {
  const { sends, broker } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", request("count", "3"));
  sends("c2", call("count", {}, "3"));
  for (let nth = 0; nth < 3; nth += 1) {
    assert.deepEqual(sends("w1", partial(id(1), LONG)), []);
    assert.deepEqual(sends("w1", partial(id(2), LONG)), []);
  }
  assert.deepEqual(sends("w1", partial(id(1), LONG)), []);
  assert.deepEqual(sends("w1", reply(id(2), LONG)), [`c2 < mmi.call 500 ${TOO_LARGE}`]);
  assert.equal(broker.counts().refused, 2);
  assert.deepEqual(sends("w1", reply(id(1), "end")), []);
  assert.equal(broker.counts().repliesDropped, 1);
});

test("kept parts: their weight counts towards queueBytesMax until the request is settled", () => {
  const { sends } = dialog({ queueBytesMax: 40_000 });
  sends("w1", ready("count", 4));
  sends("c1", request("count", "3"));
  sends("w1", partial(id(1), LONG));
  assert.deepEqual(sends("c2", call("count", {}, LONG)), [
    "c2 < mmi.call 429 the open requests take too much memory",
  ]);
  sends("c3", call("count", {}, "3"));
  assert.deepEqual(sends("w1", partial(id(2), LONG)), [`c3 < mmi.call 500 ${TOO_LARGE}`]);
  sends("w1", reply(id(1), "end"));
  assert.deepEqual(sends("c2", call("count", {}, LONG)), [`w1 < REQUEST #3 ${LONG} (0.2)`]);
});

test("stream beyond messageBytesMax: passed on, and a retry gets 500", () => {
  const { sends } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamed("count", "3"));
  sends("c2", streamedCall("count", { id: ID }, "3"));
  for (let nth = 0; nth < 10; nth += 1) {
    assert.deepEqual(sends("w1", partial(id(1), LONG)), [`c1 < PARTIAL count ${LONG}`]);
    assert.deepEqual(sends("w1", partial(id(2), LONG)), [`c2 < PARTIAL mmi.call 206 ${LONG}`]);
  }
  const refused = [`c3 < FINAL mmi.call 500 ${TOO_LARGE}`];
  assert.deepEqual(sends("c3", streamedCall("count", { id: ID }, "3")), refused);
  assert.deepEqual(sends("w1", reply(id(1), "end")), ["c1 < FINAL count end"]);
  assert.deepEqual(sends("w1", reply(id(2), "end")), ["c2 < FINAL mmi.call 200 end"]);
  assert.deepEqual(sends("c3", streamedCall("count", { id: ID }, "3")), refused);
});

test("parts of a plain stream: not kept", () => {
  const { sends } = dialog({ queueBytesMax: 40_000 });
  sends("w1", ready("count", 4));
  sends("c1", streamed("count", "3"));
  sends("w1", partial(id(1), LONG));
  assert.deepEqual(sends("c2", call("count", {}, LONG)), [`w1 < REQUEST #2 ${LONG} (0.2)`]);
});

test("parts forgotten or dropped: their weight is free at once", () => {
  const lost = dialog({ queueBytesMax: 40_000 });
  lost.sends("w1", ready("count", 4));
  lost.sends("c1", request("count", "3"));
  lost.sends("w1", partial(id(1), LONG));
  lost.disconnects("w1");
  assert.deepEqual(lost.sends("c2", call("math", {}, LONG)), []);

  const tooLong = dialog({ queueBytesMax: 70_000 });
  tooLong.sends("w1", ready("count", 4));
  tooLong.sends("c1", streamedCall("count", { id: ID }, "3"));
  for (let nth = 0; nth < 3; nth += 1) tooLong.sends("w1", partial(id(1), LONG));
  const lines = tooLong.sends("c2", call("count", {}, LONG));
  assert.deepEqual(lines, [`w1 < REQUEST #2 ${LONG} (0.2)`]);
});

test("reply without parts beyond queueBytesMax: passed on", () => {
  const { sends } = dialog({ queueBytesMax: 40_000 });
  sends("w1", ready("count"));
  sends("c1", call("count", {}, "3"));
  sends("c2", call("count", {}, LONG));
  assert.deepEqual(sends("w1", reply("c1", LONG)), [
    `c1 < mmi.call 200 ${LONG}`,
    `w1 < REQUEST c2 ${LONG} (0.2)`,
  ]);
});

test("stream of a disconnected client beyond the bounds: rejected, and a retry gets 500", () => {
  const { sends, disconnects, broker } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamedCall("count", { id: ID }, "3"));
  for (let nth = 0; nth < 3; nth += 1) sends("w1", partial(id(1), LONG));
  disconnects("c1");
  assert.deepEqual(sends("w1", partial(id(1), LONG)), []);
  assert.equal(broker.counts().refused, 1);
  const lines = sends("c2", call("count", { id: ID }, "3"));
  assert.deepEqual(lines, [`c2 < mmi.call 500 ${TOO_LARGE}`]);
});

test("stream beyond the bounds whose client disconnects then: answered, and a retry gets 500", () => {
  const { sends, disconnects, broker } = dialog();
  sends("w1", ready("count", 4));
  sends("c1", streamedCall("count", { id: ID }, "3"));
  for (let nth = 0; nth < 4; nth += 1) sends("w1", partial(id(1), LONG));
  disconnects("c1");
  assert.deepEqual(sends("w1", partial(id(1), LONG)), []);
  assert.deepEqual(sends("w1", reply(id(1), "end")), []);
  assert.equal(broker.counts().answered, 1);
  const lines = sends("c2", call("count", { id: ID }, "3"));
  assert.deepEqual(lines, [`c2 < mmi.call 500 ${TOO_LARGE}`]);
});

test("parts with more frames than a message may have: rejected", () => {
  const { sends } = dialog({ messageBytesMax: 100_000_000, queueBytesMax: 100_000_000 });
  const many = new Array<string>(32_768).fill("");
  sends("w1", ready("count", 4));
  sends("c1", call("count", {}, "3"));
  sends("w1", partial(id(1), ...many));
  assert.deepEqual(sends("w1", partial(id(1), ...many)), [`c1 < mmi.call 500 ${TOO_LARGE}`]);
});

test("REPLY of a worker of 0.1 to a client of 0.2: FINAL", () => {
  const { sends } = dialog();
  sends("w1", inDialect(MDP_0_1_TEXT).ready("echo"));
  sends("c1", streamed("echo", "a"));
  assert.deepEqual(sends("w1", inDialect(MDP_0_1_TEXT).reply("c1", "A")), ["c1 < FINAL echo A"]);
  assert.deepEqual(sends("w1", plainReply("c1", "A")), ["w1 < DISCONNECT (0.1-text)"]);
});
