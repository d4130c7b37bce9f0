// Workers and brokers that die, freeze and leave, as real processes with real signals.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Program } from "./program.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";
const LEASE = { MDP_HEARTBEAT_INTERVAL_MS: "500", MDP_HEARTBEAT_LIVENESS: "3" };
const LEASE_MS = 1500;

/** The worker's handler was told so by its AbortSignal. */
async function aborted(worker: Program, reason: string) {
  await worker.logged("slow.aborted", (line) => line.reason === reason);
}

test("a worker killed in mid-request: another answers, at once, and the client sees one reply", async () => {
  await using stack = await Stack.start(); // With the default lease of 7.5 s.
  const victim = await stack.worker(SLOW);
  const other = await stack.worker(SLOW);
  const asked = performance.now();
  const reply = stack.client.request("slow", "300");
  const { id } = await victim.logged("slow.began");
  victim.signal("SIGKILL");
  assert.equal(String((await reply)[0]), String(other.pid));
  await other.logged("slow.began", (line) => line.id === id);
  const removed = await stack.broker.logged("worker.removed");
  assert.equal(removed.reason, "gone");
  assert.equal(removed.requeued, 1);
  assert.ok(
    performance.now() - asked < 5000,
    "the death was noticed by its connection, not by its lease",
  );
  assert.equal(String((await stack.client.request("slow", "0"))[0]), String(other.pid));
  assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
  assert.equal(stack.client.retries, 0);
});

test("a frozen worker is purged when its lease is over, and starts over when it thaws", async () => {
  await using stack = await Stack.start(LEASE);
  const victim = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "100");
  await victim.logged("slow.began");
  victim.signal("SIGSTOP");
  const frozen = performance.now();
  await stack.broker.logged("worker.removed", ({ reason }) => reason === "expired");
  const silence = performance.now() - frozen;
  assert.ok(silence > LEASE_MS - 600, `purged after ${silence} ms`); // It may have beaten lately.
  const other = await stack.worker(SLOW);
  assert.equal(String((await reply)[0]), String(other.pid));
  victim.signal("SIGCONT");
  await stack.broker.logged("worker.registered", () => stack.registered === 3);
  const replies = await Promise.all([1, 2].map(() => stack.client.request("slow", "100")));
  const servers = new Set(replies.map(([pid]) => Number(String(pid))));
  assert.deepEqual(servers, new Set([victim.pid, other.pid]));
  assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
});

test("SIGTERM on a busy worker: it finishes, replies, leaves, and nothing is run twice", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "500");
  await worker.logged("slow.began");
  const next = stack.client.request("slow", "1");
  next.catch(() => {});
  worker.signal("SIGTERM");
  assert.equal(String((await reply)[0]), String(worker.pid));
  assert.deepEqual(await worker.ended, { code: 0, signal: null });
  const removed = await stack.broker.logged("worker.removed");
  assert.equal(removed.reason, "left");
  const other = await stack.worker(SLOW);
  assert.equal(String((await next)[0]), String(other.pid));
});

test("a second signal ends a busy worker at once", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "60000");
  reply.catch(() => {});
  await worker.logged("slow.began");
  // One that follows at once counts as the same: npm passes on what the terminal sent as well.
  while (worker.running) {
    worker.signal("SIGTERM");
    await setTimeout(50);
  }
  assert.deepEqual(await worker.ended, { code: 143, signal: null });
  await aborted(worker, "the worker was stopped");
});

test("a broker killed and started again: its worker comes back, and the client asks again", async () => {
  await using stack = await Stack.start({}, { silenceMs: 1000, tries: 10 });
  const worker = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "200");
  await worker.logged("slow.began");
  await stack.broker.destroy();
  await aborted(worker, "the connection broke");
  await stack.restartBroker();
  assert.equal(String((await reply)[0]), String(worker.pid));
  assert.equal(stack.client.unmatchedReplies.duplicate, 0);
});

test("SIGTERM on the broker: it says DISCONNECT, exits 0, and its workers find the next", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  assert.deepEqual(await stack.broker.stop(), { code: 0, signal: null });
  await worker.logged("session.lost", ({ reason }) => reason === "the broker sent DISCONNECT");
  await stack.restartBroker();
  await stack.broker.logged("worker.registered");
});

test("the broker itself frozen for longer than a lease purges nobody", async () => {
  await using stack = await Stack.start({ MDP_HEARTBEAT_INTERVAL_MS: "200" });
  const worker = await stack.worker(SLOW);
  stack.broker.signal("SIGSTOP");
  await worker.logged("session.lost", ({ reason }) => /^no heartbeat /.test(String(reason)));
  stack.broker.signal("SIGCONT");
  await stack.broker.logged("broker.stalled");
  assert.equal(String((await stack.client.request("slow", "0"))[0]), String(worker.pid));
  const expired = stack.broker.log.filter(({ reason }) => reason === "expired");
  assert.deepEqual(expired, []);
});

test("a handler that overruns its time limit costs its request, not the worker", async () => {
  await using stack = await Stack.start({ MDP_TIME_LIMIT_MS: "300" });
  const worker = await stack.worker(SLOW);
  await assert.rejects(stack.client.request("slow", "60000"), {
    name: "ServiceFailed",
    code: 500,
    message: "the service took longer than 300 ms",
  });
  await aborted(worker, "the service took longer than 300 ms");
  assert.equal(String((await stack.client.request("slow", "1"))[0]), String(worker.pid));
});
