// A worker that is stopped with a long job in flight: it takes no request that it will not do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";
const CREDIT = { CONCURRENCY: "4" };

test("SIGTERM to a worker of credit 4 with a long job: the idle worker serves all next requests", async () => {
  await using stack = await Stack.start(CREDIT);
  const victim = await stack.worker(SLOW);
  const long = stack.client.request("slow", ["held", "long"]);
  await victim.logged("slow.began");
  const other = await stack.worker(SLOW);
  victim.signal("SIGTERM");
  const next = Array.from({ length: 12 }, () => stack.client.request("slow", "1"));
  await victim.logged("session.draining");
  next.push(...Array.from({ length: 12 }, () => stack.client.request("slow", "1")));
  const served = (await Promise.all(next)).map(([pid]) => Number(pid));
  assert.ok(served.slice(12).every((pid) => pid === other.pid));

  victim.signal("SIGUSR2");
  assert.equal(String((await long)[0]), String(victim.pid));
  assert.deepEqual(await victim.ended, { code: 0, signal: null });
  const { reason, requeued } = await stack.broker.logged("worker.removed");
  assert.deepEqual({ reason, requeued }, { reason: "left", requeued: 0 });
  const began = [victim, other].flatMap((worker) => worker.all("slow.began"));
  assert.equal(began.length, 25);
  assert.equal(new Set(began.map(({ id }) => id)).size, 25);
});
