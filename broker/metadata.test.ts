// The metadata of REQUESTs, and mmi.ready.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_1_TEXT, MDP_0_2 } from "../protocol/dialects.ts";
import { call, dialog, disconnect, inDialect, knowing, ready, request } from "./dialog.testing.ts";

const [W1, W2, C1, C2] = ["w1", "w2", "c1", "c2"];
const ID = "0123456789abcdef";

test("worker that knows meta: delivery, ms left and call id; other workers: the empty frame", () => {
  const { sends } = dialog();
  sends(W1, ready("echo", 4, knowing("meta")));
  assert.deepEqual(sends(C1, request("echo", "1")), [
    'w1 < REQUEST #1 1 {"delivery":1,"msLeft":60000}',
  ]);
  assert.deepEqual(sends(C1, call("echo", { ttl: 5000, id: ID }, "2")), [
    `w1 < REQUEST #2 2 {"delivery":1,"msLeft":5000,"callId":"${ID}"}`,
  ]);
  sends(W2, ready("math", 4));
  assert.deepEqual(sends(C1, call("math", { id: `${ID}2` }, "3")), ["w2 < REQUEST #3 3"]);
});

test("worker without meta: no metadata for a call with all options", () => {
  const { sends } = dialog();
  sends(W1, ready("echo", 4, knowing("cancel", "progress")));
  const options = { id: ID, progress: true, headers: { trace: "7" } } as const;
  assert.deepEqual(sends(C1, call("echo", options, "1")), ["w1 < REQUEST #1 1"]);
});

for (const dialect of [MDP_0_1_TEXT, MDP_0_2]) {
  test(`metadata in ${dialect.name}: as in 0.1`, () => {
    const { sends } = dialog();
    sends(W1, inDialect(dialect).ready("echo", 1, knowing("meta")));
    assert.deepEqual(sends(C1, call("echo", { ttl: 1000 }, "1")), [
      `w1 < REQUEST #1 1 {"delivery":1,"msLeft":1000} (${dialect.name})`,
    ]);
  });
}

test("redelivery: the next delivery number, and the ms that are left; after DISCONNECT the same number", () => {
  const { sends, waits, disconnects } = dialog();
  sends(W1, ready("echo", 1, knowing("meta")));
  sends(C1, call("echo", { ttl: 5000, id: ID }, "1"));
  waits(1000);
  disconnects(W1);
  assert.deepEqual(sends(W1, ready("echo", 1, knowing("meta"))).slice(1), [
    `w1 < REQUEST #1 1 {"delivery":2,"msLeft":4000,"callId":"${ID}"}`,
  ]);
  sends(W1, disconnect);
  assert.deepEqual(sends(W1, ready("echo", 1, knowing("meta"))).slice(1), [
    `w1 < REQUEST #1 1 {"delivery":2,"msLeft":4000,"callId":"${ID}"}`,
  ]);
});

test("headers and the key name of the caller: those of the first request; progress: that of the latest", () => {
  const { sends } = dialog();
  const options = { ttl: 5000, id: ID };
  const first = { ...options, headers: { trace: "7" } };
  sends(C1, call("echo", first, "1"), { who: "alice", remote: null });
  const retry = { ...options, progress: true, headers: { trace: "8" } } as const;
  sends(C2, call("echo", retry, "1"), { who: "alice", remote: null });
  assert.deepEqual(sends(W1, ready("echo", 1, knowing("meta"))).slice(1), [
    `w1 < REQUEST #1 1 {"delivery":1,"msLeft":5000,"progress":true,"callId":"${ID}","by":"alice","headers":{"trace":"7"}}`,
  ]);
});

test("headers: they count towards queueBytesMax", () => {
  const value = "x".repeat(2000);
  const { sends } = dialog({ queueBytesMax: 3000 });
  assert.deepEqual(sends(C1, call("echo", { headers: { trace: value } }, "1")), [
    "c1 < mmi.call 429 the open requests take too much memory",
  ]);
  assert.deepEqual(sends(C1, call("echo", {}, "1")), []);
});

test("READY with keys: the incarnation comes at once, before any REQUEST", () => {
  const { sends } = dialog();
  sends(C1, request("echo", "1"));
  assert.deepEqual(sends(W1, ready("echo", 1, knowing())), [
    "w1 < HEARTBEAT incarnation thislife",
    "w1 < REQUEST #1 1",
  ]);
  assert.deepEqual(sends(W2, ready("math")), []);
  assert.deepEqual(sends("w3", ready("math", 1)), []);
});

test("mmi.ready: the incarnation, for any peer", () => {
  const { sends } = dialog();
  assert.deepEqual(sends(C1, request("mmi.ready", "")), ["c1 < mmi.ready 200 thislife"]);
  sends(W1, ready("echo"));
  assert.deepEqual(sends(W1, request("mmi.ready", "anything")), ["w1 < mmi.ready 200 thislife"]);
});
