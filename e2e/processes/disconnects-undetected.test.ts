// MDP_NOTICE_BROKEN_CONNECTIONS=off: heartbeats alone detect the death of a worker.

import assert from "node:assert/strict";
import { test } from "node:test";
import { leaseMs } from "../../protocol/heartbeat.ts";
import { freeEndpoint, Program } from "./program.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";
const HEARTBEAT = { intervalMs: 500, liveness: 3 };
const OFF = {
  MDP_HEARTBEAT_INTERVAL_MS: String(HEARTBEAT.intervalMs),
  MDP_HEARTBEAT_LIVENESS: String(HEARTBEAT.liveness),
  MDP_NOTICE_BROKEN_CONNECTIONS: "off",
};

test("detection off: a killed worker is removed when its lease is over, not before", async () => {
  await using stack = await Stack.start(OFF);
  await stack.broker.logged("disconnects.undetected", ({ reason }) => reason === "turned off");
  const victim = await stack.worker(SLOW);
  const before = performance.now();
  await stack.client.request("slow", "0"); // Its REPLY renews the lease.
  const reply = stack.client.request("slow", ["held", "lost"]);
  const { id } = await victim.logged("slow.began", ({ request }) => request === "lost");
  victim.signal("SIGKILL");
  const { reason, requeued } = await stack.broker.logged("worker.removed");
  const silence = performance.now() - before;
  assert.deepEqual({ reason, requeued }, { reason: "expired", requeued: 1 });
  assert.ok(silence >= leaseMs(HEARTBEAT), `removed after ${silence} ms`);
  const other = await stack.worker(SLOW);
  await other.logged("slow.began", (line) => line.id === id);
  other.signal("SIGUSR2");
  assert.equal(String((await reply)[0]), String(other.pid));
  assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
  assert.equal(stack.client.retries, 0);
});

test("setting neither on nor off: the broker exits with code 1", async () => {
  const settings = { MDP_BIND: await freeEndpoint(), MDP_NOTICE_BROKEN_CONNECTIONS: "maybe" };
  const broker = new Program("broker/main.ts", [], settings);
  const outcome = await Promise.race([broker.ended, broker.logged("broker.listening")]);
  await broker.destroy();
  assert.deepEqual(outcome, { code: 1, signal: null });
  assert.match(broker.errors, /MDP_NOTICE_BROKEN_CONNECTIONS="maybe" is not on or off/);
});
