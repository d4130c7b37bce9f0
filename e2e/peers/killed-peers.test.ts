// Foreign workers and clients that are killed, and brokers killed while foreign peers use them.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Program } from "../processes/program.ts";
import { Stack } from "../processes/stack.ts";
import { WORKERS } from "./kinds.ts";
import { asArguments, asHex, came, Peers, times } from "./peers.ts";

const BODY = ["hello", "", "world"];
const REQUEST = asArguments([BODY]);

async function serves(reply: Promise<Buffer[]>) {
  assert.deepEqual(asHex(await reply), asHex(BODY));
}

async function assertRequeued(broker: Program) {
  const { reason, requeued } = await broker.logged("worker.removed");
  assert.deepEqual({ reason, requeued }, { reason: "gone", requeued: 1 });
}

for (const dialect of ["bytes", "text", "0.2"]) {
  test(`worker (${dialect}) killed in mid-request: a worker of ours serves it`, async () => {
    await using stack = await Stack.start();
    await using peers = new Peers(stack.endpoint);
    const victim = peers.python("worker", "echo", "--dialect", dialect, "--hold");
    await stack.broker.logged("worker.registered");
    const reply = stack.client.request("echo", BODY);
    await victim.logged("request");
    victim.signal("SIGKILL");
    await assertRequeued(stack.broker);
    peers.ours("workers/echo.ts");
    await serves(reply);
    assert.deepEqual(stack.client.unmatchedReplies, { duplicate: 0, late: 0 });
  });

  test(`worker killed in mid-request: a worker (${dialect}) serves it`, async () => {
    await using stack = await Stack.start();
    await using peers = new Peers(stack.endpoint);
    const victim = peers.python("worker", "echo", "--hold");
    await stack.broker.logged("worker.registered");
    const client = peers.python("client", "echo", ...REQUEST, "--req");
    await victim.logged("request");
    victim.signal("SIGKILL");
    await assertRequeued(stack.broker);
    const other = peers.python("worker", "echo", "--dialect", dialect);
    assert.deepEqual(await client.ended, { code: 0, signal: null });
    assert.deepEqual(came(client, "reply"), [asHex(BODY)]);
    await other.logged("answered");
    assert.deepEqual(came(other, "request"), [asHex(BODY)]);
  });
}

test("worker of ours killed in mid-request: a worker in C serves it", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  const victim = await stack.worker("e2e/processes/slow.ts");
  const reply = stack.client.request("slow", ["held", "name"]);
  await victim.logged("slow.began");
  victim.signal("SIGKILL");
  await assertRequeued(stack.broker);
  peers.c("worker", "slow", "bytes", "2500", "3");
  assert.deepEqual(asHex(await reply), asHex(["held", "name"]));
});

test("client killed in mid-request: its reply is dropped, the next client is served", async () => {
  await using stack = await Stack.start();
  await using peers = new Peers(stack.endpoint);
  const worker = peers.python("worker", "echo", "--hold");
  await stack.broker.logged("worker.registered");
  const client = peers.c("client", "echo", "req", ...REQUEST);
  await worker.logged("request");
  client.signal("SIGKILL");
  await client.ended;
  // The broker ends the request when it notices the disconnect.
  await untilOpen(stack, 0);
  worker.signal("SIGUSR1");
  await worker.logged("answered");
  const next = peers.c("client", "echo", "req", ...REQUEST);
  await times(worker, "request", 2);
  worker.signal("SIGUSR1");
  assert.deepEqual(await next.ended, { code: 0, signal: null });
  assert.deepEqual(came(next, "reply"), [asHex(BODY)]);
  assert.deepEqual(
    stack.broker.log.filter(({ event }) => event === "worker.removed"),
    [],
  );
});

test("broker killed and restarted: workers of all kinds register again", async () => {
  await using stack = await Stack.start({ MDP_HEARTBEAT_INTERVAL_MS: "500" });
  await using peers = new Peers(stack.endpoint);
  for (const { start, service } of WORKERS) start(peers, service);
  await times(stack.broker, "worker.registered", WORKERS.length);
  await stack.broker.destroy();
  await stack.restartBroker();
  for (const { service } of WORKERS) {
    await stack.broker.logged("worker.registered", (line) => line.service === service);
    assert.deepEqual(asHex(await stack.client.request(service, "back")), asHex(["back"]));
  }
});

test("broker killed in mid-request: a foreign client retries, gets one reply", async () => {
  await using stack = await Stack.start({ MDP_HEARTBEAT_INTERVAL_MS: "500" });
  await using peers = new Peers(stack.endpoint);
  const worker = peers.python("worker", "echo", "--interval", "500", "--hold");
  await stack.broker.logged("worker.registered");
  const retries = ["--timeout", "2000", "--tries", "10"];
  const client = peers.python("client", "echo", ...REQUEST, "--req", ...retries);
  await worker.logged("request");
  await stack.broker.destroy();
  await stack.restartBroker();
  await times(worker, "request", 2);
  worker.signal("SIGUSR1");
  assert.deepEqual(await client.ended, { code: 0, signal: null });
  assert.deepEqual(came(client, "reply"), [asHex(BODY)]);
});

/** Resolves when the broker has so many requests without an outcome. */
async function untilOpen(stack: Stack, count: number) {
  for (;;) {
    const [, json] = await stack.client.request("mmi.stats", "");
    const { queued, inFlight } = JSON.parse(String(json));
    if (queued + inFlight === count) return;
  }
}
