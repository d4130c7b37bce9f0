// Workers that are silent while they work, or always, as many in the field are: what becomes of
// them is what 7/MDP says (Heartbeating; Opening and Closing a Connection).

import assert from "node:assert/strict";
import { test } from "node:test";
import { Stack } from "../processes/stack.ts";
import { asHex, came, Peers, times } from "./peers.ts";

const lease = (intervalMs: number, liveness: number) => ({
  MDP_HEARTBEAT_INTERVAL_MS: String(intervalMs),
  MDP_HEARTBEAT_LIVENESS: String(liveness),
});

test("silent while busy for longer than its lease: purged, another serves its request", async () => {
  await using stack = await Stack.start(lease(200, 3));
  await using peers = new Peers(stack.endpoint);
  const beats = ["--interval", "200"];
  const busy = peers.python("busy_worker", "job", ...beats, "--work", "2500");
  await stack.broker.logged("worker.registered");
  const reply = stack.client.request("job", "body");
  await busy.logged("request");
  const other = peers.python("worker", "job", ...beats, "--dialect", "words");
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
  const [again] = await stack.client.request("mmi.service", "job");
  assert.equal(String(again), "200");
});

test("silent while busy for less than its lease: served like any other", async () => {
  await using stack = await Stack.start(lease(500, 8));
  await using peers = new Peers(stack.endpoint);
  const options = ["--interval", "500", "--liveness", "8", "--work", "1200"];
  const busy = peers.python("busy_worker", "job", ...options);
  await stack.broker.logged("worker.registered");
  const replies = await Promise.all(["1", "2"].map((body) => stack.client.request("job", body)));
  assert.deepEqual(replies.map(asHex), [asHex(["1"]), asHex(["2"])]);
  await times(busy, "answered", 2);
  const removed = stack.broker.log.filter(({ event }) => event === "worker.removed");
  assert.deepEqual(removed, []);
});

test("a worker that never beats: purged when its lease is over, told nothing, taken on again", async () => {
  await using stack = await Stack.start(lease(500, 3));
  await using peers = new Peers(stack.endpoint);
  const mute = peers.python("mute_worker", "mute");
  await stack.broker.logged("worker.registered");
  assert.deepEqual(asHex(await stack.client.request("mute", "first")), asHex(["first"]));
  const { reason, requeued } = await stack.broker.logged("worker.removed");
  assert.deepEqual({ reason, requeued }, { reason: "expired", requeued: 0 });
  assert.equal(String(await stack.client.request("mmi.service", "mute")), "404");
  const told = mute.log.length;

  // For longer than an interval it is given nothing, not even a heartbeat.
  await assert.rejects(stack.client.request("mute", "nobody", { timeoutMs: 1000 }), {
    name: /NoWorker|TimedOut/, // A busy machine may hold up the broker's word.
  });
  assert.equal(mute.log.length, told);
  const second = stack.client.request("mute", "second");
  mute.signal("SIGUSR1");
  assert.deepEqual(asHex(await second), asHex(["second"]));
  await times(stack.broker, "worker.registered", 2);
  const commands = new Set(mute.log.flatMap(({ command }) => command ?? []));
  assert.deepEqual(commands, new Set(["REQUEST", "HEARTBEAT"]));
});

test("a worker that never beats dies by its lease with a request in hand, too", async () => {
  await using stack = await Stack.start(lease(200, 3));
  await using peers = new Peers(stack.endpoint);
  const mute = peers.python("mute_worker", "mute");
  await stack.broker.logged("worker.registered");
  mute.signal("SIGSTOP"); // So that the request stays in its hand.
  const reply = stack.client.request("mute", "body");
  const { reason } = await stack.broker.logged("worker.removed");
  assert.equal(reason, "expired");
  const other = peers.c("worker", "mute", "words", "200", "3");
  assert.deepEqual(asHex(await reply), asHex(["body"]));
  await other.logged("answered");
});
