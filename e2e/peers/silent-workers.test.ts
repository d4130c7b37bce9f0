// Workers that send no heartbeat while they are busy, or never; and workers that send heartbeats and
// never reply (7/MDP, Heartbeating; Opening and Closing a Connection).

import assert from "node:assert/strict";
import { test } from "node:test";
import { Stack } from "../processes/stack.ts";
import { stretched } from "../slowdown.ts";
import { asHex, came, Peers, times } from "./peers.ts";

/** The environment of the broker and the options of a Python worker, for one heartbeat. */
function heartbeat(intervalMs: number, liveness: number) {
  const [interval, count] = [String(Math.round(intervalMs)), String(liveness)];
  return {
    settings: { MDP_HEARTBEAT_INTERVAL_MS: interval, MDP_HEARTBEAT_LIVENESS: count },
    options: ["--interval", interval, "--liveness", count],
  };
}

test("worker silent while busy past its lease: removed, another serves its request", () =>
  stretched(200, async (scale) => {
    const { settings, options } = heartbeat(200 * scale, 3);
    await using stack = await Stack.start(settings);
    await using peers = new Peers(stack.endpoint);
    const work = ["--work", String(Math.round(2500 * scale))];
    const busy = peers.python("busy_worker", "job", ...options, ...work);
    await stack.broker.logged("worker.registered");
    const reply = stack.client.request("job", "body");
    await busy.logged("request");
    const other = peers.python("worker", "job", ...options, "--dialect", "text");
    const { reason, requeued } = await stack.broker.logged("worker.removed");
    assert.deepEqual({ reason, requeued }, { reason: "expired", requeued: 1 });
    assert.deepEqual(asHex(await reply), asHex(["body"]));
    assert.deepEqual(came(busy, "answered"), []);
    await other.logged("answered");
    assert.deepEqual(came(other, "request"), [asHex(["body"])]);

    await busy.logged("answered"); // Too late.
    await stack.broker.logged("peers.disconnected");
    await busy.logged("lost", ({ reason }) => reason === "disconnected");
    await times(stack.broker, "worker.registered", 3);
    assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
    assert.equal(stack.client.retries, 0);
    assert.deepEqual(await other.stop(), { code: 0, signal: null });
    await stack.broker.logged("worker.removed", (line) => line.reason === "left");
    const [status] = await stack.client.request("mmi.service", "job");
    assert.equal(String(status), "200");
  }));

test("worker silent while busy for less than its lease: stays registered", () =>
  stretched(500, async (scale) => {
    const { settings, options } = heartbeat(500 * scale, 8);
    await using stack = await Stack.start(settings);
    await using peers = new Peers(stack.endpoint);
    const work = ["--work", String(Math.round(1200 * scale))];
    const busy = peers.python("busy_worker", "job", ...options, ...work);
    await stack.broker.logged("worker.registered");
    const replies = await Promise.all(["1", "2"].map((body) => stack.client.request("job", body)));
    assert.deepEqual(replies.map(asHex), [asHex(["1"]), asHex(["2"])]);
    await times(busy, "answered", 2);
    assert.deepEqual(stack.broker.all("worker.removed"), []);
  }));

test("worker that never sends HEARTBEAT: removed after its lease, READY registers it again", () =>
  stretched(500, async (scale) => {
    const { settings } = heartbeat(500 * scale, 3);
    await using stack = await Stack.start(settings);
    await using peers = new Peers(stack.endpoint);
    const mute = peers.python("mute_worker", "mute");
    await stack.broker.logged("worker.registered");
    assert.deepEqual(asHex(await stack.client.request("mute", "first")), asHex(["first"]));
    const { reason, requeued } = await stack.broker.logged("worker.removed");
    assert.deepEqual({ reason, requeued }, { reason: "expired", requeued: 0 });
    assert.equal(String(await stack.client.request("mmi.service", "mute")), "404");
    const received = mute.log.length;

    // For two intervals the removed worker receives nothing, not even a heartbeat.
    await assert.rejects(stack.client.request("mute", "nobody", { timeoutMs: 1000 * scale }), {
      name: /NoWorker|TimedOut/, // A busy machine may delay the broker's verdict.
    });
    assert.equal(mute.log.length, received);
    const second = stack.client.request("mute", "second");
    mute.signal("SIGUSR1");
    assert.deepEqual(asHex(await second), asHex(["second"]));
    await times(stack.broker, "worker.registered", 2);
    const commands = new Set(mute.log.flatMap(({ command }) => command ?? []));
    assert.deepEqual(commands, new Set(["REQUEST", "HEARTBEAT"]));
  }));

test("worker that never sends HEARTBEAT, with a request in flight: removed after its lease", () =>
  stretched(200, async (scale) => {
    const { settings } = heartbeat(200 * scale, 3);
    await using stack = await Stack.start(settings);
    await using peers = new Peers(stack.endpoint);
    const mute = peers.python("mute_worker", "mute");
    await stack.broker.logged("worker.registered");
    mute.signal("SIGSTOP"); // So that the request stays in flight.
    const reply = stack.client.request("mute", "body");
    const { reason } = await stack.broker.logged("worker.removed");
    assert.equal(reason, "expired");
    const other = peers.c("worker", "mute", "text", settings.MDP_HEARTBEAT_INTERVAL_MS, "3");
    assert.deepEqual(asHex(await reply), asHex(["body"]));
    await other.logged("answered");
  }));

test("worker that never replies to a request: DISCONNECT after the request expired, READY again", () =>
  stretched(200, async (scale) => {
    const { settings, options } = heartbeat(200 * scale, 3);
    await using stack = await Stack.start(settings);
    await using peers = new Peers(stack.endpoint);
    const worker = peers.python("worker", "job", ...options, "--swallow");
    await stack.broker.logged("worker.registered");
    const timeoutMs = 500 * scale;
    await assert.rejects(stack.client.request("job", "swallowed", { timeoutMs }));
    const next = stack.client.request("job", "next");
    await stack.broker.logged("worker.removed", ({ reason }) => reason === "rejected");
    await worker.logged("lost", ({ reason }) => reason === "disconnected");
    assert.deepEqual(asHex(await next), asHex(["next"]));
  }));

/** The workers of one service, the time of a job in leases, and the executions that it has. */
const LATE: [workers: number, leases: number, executions: number][] = [
  [1, 1.4, 1],
  [2, 1.4, 2],
  [5, 1.4, 2],
  [5, 3.5, 3],
];

for (const [count, leases, executions] of LATE)
  test(`${count} workers silent while busy for ${leases} leases: one reply, by the first`, () =>
    stretched(200, async (scale) => {
      const { settings, options } = heartbeat(200 * scale, 3);
      await using stack = await Stack.start(settings);
      await using peers = new Peers(stack.endpoint);
      const work = ["--work", String(Math.round(leases * 600 * scale))];
      const workers = Array.from({ length: count }, () =>
        peers.python("busy_worker", "job", ...options, ...work),
      );
      await times(stack.broker, "worker.registered", count);
      assert.deepEqual(asHex(await stack.client.request("job", "body")), asHex(["body"]));
      const began = workers.map((worker) => came(worker, "request").length);
      assert.equal(began.filter((each) => each === 1).length, executions);
      assert.equal(Math.max(...began), 1);
      assert.equal(workers.filter((worker) => came(worker, "answered").length > 0).length, 1);

      // Each of them returns: all workers take a request again.
      await Promise.all(workers.map(() => stack.client.request("job", "next")));
      assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
      assert.deepEqual(stack.broker.all("request.quarantined"), []);
      assert.equal(stack.client.retries, 0);
    }));
