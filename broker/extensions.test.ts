// Extended commands of workers: READY with keys, HEARTBEAT with pairs, REQUEST with metadata.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_1, MDP_0_1_TEXT, MDP_0_2 } from "../protocol/dialects.ts";
import { encode } from "../protocol/mdp.ts";
import {
  dialog,
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

const [W1, C1] = ["w1", "c1"];
const progress = { name: "progress", address: id(1), value: Buffer.from("50%") } as const;

for (const dialect of [MDP_0_1, MDP_0_1_TEXT, MDP_0_2]) {
  const { ready, reply, pairs } = inDialect(dialect);
  test(`READY with keys in ${dialect.name}: registered, and its pairs are a sign of life`, () => {
    const { sends, waits } = dialog();
    sends(W1, ready("echo", 2, knowing("progress")));
    waits(LEASE_MS - 100);
    assert.deepEqual(sends(W1, pairs(progress)), []);
    waits(LEASE_MS - 100);
    assert.equal(sends(C1, request("echo", "hello")).length, 1);
    assert.deepEqual(sends(W1, reply(id(1), "HELLO")), ["c1 < echo HELLO"]);
  });
}

test("pairs of a worker whose READY had no keys: invalid, and the worker is removed", () => {
  for (const credit of [null, 2]) {
    const { sends, broker } = dialog();
    sends(W1, ready("echo", credit));
    assert.deepEqual(sends(W1, pairs(progress)), ["w1 < DISCONNECT"]);
    assert.equal(broker.counts().messagesDropped, 1);
    assert.deepEqual(sends(C1, request("echo", "hello")), []);
  }
});

test("pairs of a peer that sent no READY: rejected with DISCONNECT, as a HEARTBEAT is", () => {
  const { sends, broker } = dialog();
  assert.deepEqual(sends(W1, pairs(progress)), ["w1 < DISCONNECT"]);
  assert.equal(broker.counts().messagesDropped, 0);
});

test("pair whose word is not in READY: invalid; a name that only brokers send: ignored", () => {
  const { sends } = dialog();
  const limit = { name: "limit", limit: 1 } as const;
  for (const pair of [progress, limit]) {
    sends(W1, ready("echo", 2, knowing("cancel")));
    assert.deepEqual(sends(W1, pairs(pair)), ["w1 < DISCONNECT"]);
  }
  sends(W1, ready("echo", 2, knowing("cancel")));
  assert.deepEqual(sends(W1, pairs({ name: "cancel", addresses: [id(1)] })), []);
  assert.deepEqual(sends(W1, [...heartbeatCommand, Buffer.from("later"), Buffer.from("")]), []);
  assert.equal(sends(C1, request("echo", "hello")).length, 1);
});

test("READY with keys that are malformed: invalid", () => {
  const { sends, broker } = dialog();
  assert.deepEqual(sends(W1, [...ready("echo", 2), Buffer.from("name")]), []);
  assert.equal(broker.counts().workers, 0);
});

test("REQUEST with metadata from a worker: invalid, as in 7/MDP", () => {
  const { sends, broker } = dialog();
  const metadata = {
    ...{ delivery: 1, msLeft: 1000, progress: false, callId: null, by: null, headers: null },
  };
  const frames = encode({
    ...({ header: "worker", dialect: MDP_0_1, name: "REQUEST", client: id(1) } as const),
    ...{ metadata, body: [Buffer.from("hello")] },
  });
  assert.deepEqual(sends(W1, frames), []);
  sends(W1, ready("echo", 2, knowing("meta")));
  assert.deepEqual(sends(W1, frames), ["w1 < DISCONNECT"]);
  assert.equal(broker.counts().messagesDropped, 2);
});

test("worker without a word: it gets no pairs for it", () => {
  const { sends, waits } = dialog();
  sends(W1, ready("echo", 2, knowing()));
  sends(C1, request("echo", "hello"));
  assert.deepEqual(waits(LEASE_MS - 100), []);
  assert.deepEqual(sends(W1, reply(id(1), "HELLO")), ["c1 < echo HELLO"]);
});
