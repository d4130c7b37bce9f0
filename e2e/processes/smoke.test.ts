// The main faults with real processes and signals, for machines without Docker. All other faults are
// in e2e/containers and e2e/chaos.

import assert from "node:assert/strict";
import { test } from "node:test";
import { stretched } from "../slowdown.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";

test("worker killed while it executes a request: the request is requeued, one reply", async () => {
  await using stack = await Stack.start();
  const victim = await stack.worker(SLOW);
  const other = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "held");
  const { id } = await victim.logged("slow.began");
  victim.signal("SIGKILL");
  await other.logged("slow.began", (line) => line.id === id);
  other.signal("SIGUSR2");
  assert.equal(String((await reply)[0]), String(other.pid));
  const { reason, requeued } = await stack.broker.logged("worker.removed");
  assert.deepEqual({ reason, requeued }, { reason: "gone", requeued: 1 });
  assert.equal(String((await stack.client.request("slow", "0"))[0]), String(other.pid));
  assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
  assert.equal(stack.client.retries, 0);
});

test("worker frozen past its lease: removed, and registered again after SIGCONT", () =>
  stretched(500, async (scale) => {
    const intervalMs = Math.round(500 * scale);
    const leaseMs = 3 * intervalMs;
    const heartbeat = {
      MDP_HEARTBEAT_INTERVAL_MS: String(intervalMs),
      MDP_HEARTBEAT_LIVENESS: "3",
    };
    await using stack = await Stack.start(heartbeat);
    const victim = await stack.worker(SLOW);
    const before = performance.now();
    await stack.client.request("slow", "0"); // Its REPLY renews the lease.
    const reply = stack.client.request("slow", "held");
    await victim.logged("slow.began", () => victim.all("slow.began").length === 2);
    victim.signal("SIGSTOP");
    await stack.broker.logged("worker.removed", ({ reason }) => reason === "expired");
    const silence = performance.now() - before;
    assert.ok(silence >= leaseMs, `removed after ${silence} ms, and the lease is ${leaseMs} ms`);
    const other = await stack.worker(SLOW);
    await other.logged("slow.began");
    other.signal("SIGUSR2");
    assert.equal(String((await reply)[0]), String(other.pid));

    victim.signal("SIGCONT");
    await stack.broker.logged("worker.registered", () => stack.registered >= 3);
    const replies = ["one", "two"].map((name) => stack.client.request("slow", ["held", name]));
    for (const worker of [victim, other]) {
      await worker.logged("slow.began", ({ request }) => request !== "");
      worker.signal("SIGUSR2");
    }
    const workers = (await Promise.all(replies)).map(([pid]) => Number(String(pid)));
    assert.deepEqual(new Set(workers), new Set([victim.pid, other.pid]));
    assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
  }));

test("broker killed and restarted: the worker registers again, the client retries", async () => {
  await using stack = await Stack.start({}, { silenceMs: 1000, tries: 100 });
  const worker = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "held");
  await worker.logged("slow.began");
  await stack.broker.destroy();
  await worker.logged("slow.aborted", ({ reason }) => reason === "the connection broke");
  await stack.restartBroker();
  await worker.logged("slow.began", () => worker.all("slow.began").length === 2);
  worker.signal("SIGUSR2");
  assert.equal(String((await reply)[0]), String(worker.pid));
  assert.equal(stack.client.unmatchedReplies.duplicate, 0);
});
