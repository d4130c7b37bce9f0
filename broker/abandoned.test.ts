// Abandoned requests: a plain worker that never replies gets DISCONNECT, and starts over.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_2 } from "../protocol/dialects.ts";
import {
  call,
  dialog,
  disconnect,
  heartbeatCommand,
  inDialect,
  LEASE_MS,
  ready,
  reply,
  request,
} from "./dialog.testing.ts";

const [W1, W2, C1, C2] = ["w1", "w2", "c1", "c2"];
const TTL_MS = 5000;

/** A broker with the default ttl of 5 s. */
function scene() {
  const broker = dialog({ requestTtlMs: TTL_MS });

  /** Time passes, and the workers send only HEARTBEAT. */
  function beats(ms: number, ...workers: string[]): string[] {
    const lines: string[] = [];
    for (let passed = 0; passed < ms; passed += 500) {
      lines.push(...broker.waits(Math.min(500, ms - passed)));
      for (const worker of workers) lines.push(...broker.sends(worker, heartbeatCommand));
    }
    return lines;
  }
  return { ...broker, beats };
}

test("plain worker with heartbeats and no REPLY: DISCONNECT a lease after the request expired", () => {
  const { sends, beats, waits, broker, events, log } = scene();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "swallowed"));
  assert.deepEqual(beats(TTL_MS + LEASE_MS - 100, W1), []);
  assert.equal(broker.counts().workers, 1);
  assert.deepEqual(waits(100), ["w1 < DISCONNECT"]);
  assert.equal(broker.counts().workers, 0);
  const removed = log.find(({ event }) => event === "worker.removed");
  assert.ok(removed?.event === "worker.removed" && removed.reason === "rejected");
  waits(100);
  assert.deepEqual(events("peers.disconnected"), [
    {
      event: "peers.disconnected",
      reason: "no REPLY within a lease after its request expired",
      count: 1,
    },
  ]);
  sends(C2, request("echo", "next"));
  assert.deepEqual(sends(W1, ready("echo")), ["w1 < REQUEST c2 next"]);
  assert.deepEqual(sends(W1, reply(C2, "NEXT")), ["c2 < echo NEXT"]);
});

test("REPLY within a lease after the expiry: the worker stays, also for further expired requests", () => {
  const { sends, beats, broker } = scene();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "slow"));
  beats(TTL_MS + LEASE_MS - 500, W1);
  sends(C2, request("echo", "next"));
  assert.deepEqual(sends(W1, reply(C1, "late")), ["w1 < REQUEST c2 next"]);
  assert.deepEqual(beats(TTL_MS + LEASE_MS - 500, W1), []);
  assert.deepEqual(sends(W1, reply(C2, "late")), []);
  assert.deepEqual(beats(TTL_MS + 2 * LEASE_MS, W1), []);
  assert.equal(broker.counts().workers, 1);
});

test("18/MDP: parts of an expired request: the worker has a lease after each of them", () => {
  const { sends, beats, waits } = scene();
  const worker = inDialect(MDP_0_2);
  sends(W1, worker.ready("count"));
  sends(C1, request("count", "3"));
  for (let nth = 0; nth < 6; nth += 1) {
    assert.deepEqual(waits(2000), []);
    assert.deepEqual(sends(W1, worker.partial(C1, `${nth}`)), []);
  }
  assert.deepEqual(waits(LEASE_MS - 200), []);
  sends(W1, worker.heartbeatCommand);
  assert.deepEqual(beats(100), []);
  assert.deepEqual(waits(100), ["w1 < DISCONNECT (0.2)"]);
});

test("worker with credit: its slot waits for its REPLY, however late", () => {
  const { sends, beats, broker } = scene();
  sends(W1, ready("echo", 1));
  sends(C1, request("echo", "slow"));
  assert.deepEqual(beats(10 * TTL_MS, W1), []);
  assert.equal(broker.counts().workers, 1);
});

test("client of a plain worker gone: the worker has until a lease after the expiry", () => {
  const { sends, beats, waits, disconnects } = scene();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "swallowed"));
  beats(1000, W1);
  disconnects(C1);
  assert.deepEqual(beats(TTL_MS - 1000 + LEASE_MS - 100, W1), []);
  assert.deepEqual(waits(100), ["w1 < DISCONNECT"]);
});

test("cancelled call with a ttl of a day: the worker has the default ttl and a lease", () => {
  const { sends, beats, waits, disconnects } = scene();
  sends(W1, ready("echo"));
  sends(C1, call("echo", { ttl: 86_400_000 }, "swallowed"));
  disconnects(C1);
  assert.deepEqual(beats(TTL_MS + LEASE_MS - 100, W1), []);
  assert.deepEqual(waits(100), ["w1 < DISCONNECT"]);
});

test("worker removed before the end of that time: nothing is sent, and a new READY stays", () => {
  const { sends, beats, broker } = scene();
  sends(W1, ready("echo"));
  sends(C1, request("echo", "swallowed"));
  beats(TTL_MS + 1000, W1);
  sends(W1, disconnect);
  sends(W1, ready("echo"));
  assert.deepEqual(beats(2 * LEASE_MS, W1), []);
  assert.equal(broker.counts().workers, 1);
});

test("two workers overdue at once: both removed before their service dispatches", () => {
  const { sends, beats, waits } = scene();
  for (const worker of [W1, W2]) sends(worker, ready("echo"));
  for (const client of [C1, C2]) sends(client, request("echo", "swallowed"));
  beats(TTL_MS + LEASE_MS - 100, W1, W2);
  sends(C1, request("echo", "next"));
  assert.deepEqual(waits(100), ["w1 < DISCONNECT", "w2 < DISCONNECT"]);
  assert.deepEqual(sends(W2, ready("echo")), ["w2 < REQUEST c1 next"]);
});
