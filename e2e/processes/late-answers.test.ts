// A worker that blocks its thread for longer than a lease. Its answer comes late, and is used.

import assert from "node:assert/strict";
import { test } from "node:test";
import { stretched } from "../slowdown.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";

test("handler that blocks its thread for longer than a lease: one execution, one reply", () =>
  stretched(200, async (scale) => {
    const [intervalMs, liveness] = [Math.round(200 * scale), 3];
    await using stack = await Stack.start({
      MDP_HEARTBEAT_INTERVAL_MS: String(intervalMs),
      MDP_HEARTBEAT_LIVENESS: String(liveness),
    });
    const worker = await stack.worker(SLOW);
    const blockMs = String(Math.round(1.5 * intervalMs * liveness));
    const reply = await stack.client.request("slow", ["block", blockMs]);
    assert.deepEqual(reply.map(String), [String(worker.pid), blockMs]);
    await stack.broker.logged("worker.removed", ({ reason }) => reason === "expired");
    assert.equal(worker.all("slow.began").length, 1);
    assert.deepEqual(stack.broker.all("replies.dropped"), []);
    assert.equal(stack.client.retries, 0);

    // The worker registers again.
    assert.equal(String((await stack.client.request("slow", "0"))[0]), String(worker.pid));
    assert.equal(stack.registered, 2);
  }));
