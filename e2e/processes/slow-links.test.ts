// Large messages over a slow link: their bytes are a sign of life, on all three sides.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../../clients/client.ts";
import { leaseMs } from "../../protocol/heartbeat.ts";
import { transport } from "../transport.ts";
import { SlowLink } from "./slow-link.ts";
import { Stack } from "./stack.ts";

const HEARTBEAT = { intervalMs: 500, liveness: 3 };
const SETTINGS = {
  MDP_HEARTBEAT_INTERVAL_MS: String(HEARTBEAT.intervalMs),
  MDP_HEARTBEAT_LIVENESS: String(HEARTBEAT.liveness),
};
const BYTES_PER_S = 1_000_000;
/** It takes four leases in each direction. */
const SIZE = 6_000_000;

const skip = !transport.version.startsWith("zmtp");

test("worker behind a slow link, request and reply of 6 MB: one execution, one reply", {
  skip,
}, async () => {
  await using stack = await Stack.start(SETTINGS);
  using link = await SlowLink.to(stack.endpoint, BYTES_PER_S);
  const worker = stack.program("workers/echo.ts", [], { MDP_BROKER: link.endpoint });
  await stack.broker.logged("worker.registered");
  const [reply] = await stack.client.request("echo", Buffer.alloc(SIZE, "x"), {
    timeoutMs: 55_000,
  });
  assert.equal(reply?.length, SIZE);
  assert.deepEqual(
    stack.broker.log.filter(({ event }) => event === "worker.removed"),
    [],
  );
  assert.deepEqual(
    worker.log.filter(({ event }) => event === "session.lost"),
    [],
  );
  assert.equal(stack.client.retries, 0);
});

test("client behind a slow link, request and reply of 6 MB: sent once, answered once", {
  skip,
}, async () => {
  await using stack = await Stack.start(SETTINGS);
  await stack.worker("workers/echo.ts");
  using link = await SlowLink.to(stack.endpoint, BYTES_PER_S);
  const client = new Client(link.endpoint, { transport, silenceMs: leaseMs(HEARTBEAT) });
  try {
    const [reply] = await client.request("echo", Buffer.alloc(SIZE, "x"), { timeoutMs: 55_000 });
    assert.equal(reply?.length, SIZE);
    assert.equal(client.retries, 0);
    const stats = await stack.client.request("mmi.stats", "");
    assert.equal(JSON.parse(String(stats[1])).retried, 0);
  } finally {
    client.close();
  }
});

test("worker stopped in the middle of a request of 16 MB: removed after its lease", async () => {
  await using stack = await Stack.start(SETTINGS);
  const worker = await stack.worker("workers/echo.ts");
  await stack.client.request("echo", "first");
  const lost = stack.client.request("echo", Buffer.alloc(15_000_000, "x"), { timeoutMs: 50_000 });
  lost.catch(() => {});
  worker.signal("SIGSTOP");
  const begunAt = performance.now();
  const { reason } = await stack.broker.logged("worker.removed");
  assert.equal(reason, "expired");
  const ms = performance.now() - begunAt;
  assert.ok(ms < leaseMs(HEARTBEAT) + HEARTBEAT.intervalMs + SLACK_MS, `removed after ${ms} ms`);
});

/** The broker may stall on a busy machine; its leases then begin again. */
const SLACK_MS = 2000;
