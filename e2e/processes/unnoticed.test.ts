// A broker that is not to notice broken connections: heartbeats alone show who is dead.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tickMs } from "../../protocol/heartbeat.ts";
import { freeEndpoint, Program } from "./program.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";
const HEARTBEAT = { intervalMs: 500, liveness: 3 };
const OFF = {
  MDP_HEARTBEAT_INTERVAL_MS: String(HEARTBEAT.intervalMs),
  MDP_HEARTBEAT_LIVENESS: String(HEARTBEAT.liveness),
  MDP_NOTICE_BROKEN_CONNECTIONS: "off",
};

test("turned off: a worker killed in mid-request is removed when its lease is over, and not before", async () => {
  await using stack = await Stack.start(OFF);
  await stack.broker.logged("disconnects.undetected", ({ reason }) => reason === "turned off");
  const victim = await stack.worker(SLOW);
  const other = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "300");
  const { id } = await victim.logged("slow.began");
  victim.signal("SIGKILL");
  const killed = performance.now();
  const { reason, requeued } = await stack.broker.logged("worker.removed");
  const silence = performance.now() - killed;
  assert.deepEqual({ reason, requeued }, { reason: "expired", requeued: 1 });
  // It was heard an interval ago at the most, or a tick more.
  const least = (HEARTBEAT.liveness - 1) * HEARTBEAT.intervalMs - tickMs(HEARTBEAT);
  assert.ok(silence >= least, `removed after ${silence} ms`);
  assert.equal(String((await reply)[0]), String(other.pid));
  await other.logged("slow.began", (line) => line.id === id);
  assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
  assert.equal(stack.client.retries, 0);
});

test("what is neither on nor off is a mistake, and the broker says so", async () => {
  const settings = { MDP_BIND: await freeEndpoint(), MDP_NOTICE_BROKEN_CONNECTIONS: "maybe" };
  const broker = new Program("broker/main.ts", [], settings);
  const outcome = await Promise.race([broker.ended, broker.logged("broker.listening")]);
  await broker.destroy();
  assert.deepEqual(outcome, { code: 1, signal: null });
  assert.match(broker.errors, /MDP_NOTICE_BROKEN_CONNECTIONS="maybe" is not on or off/);
});
