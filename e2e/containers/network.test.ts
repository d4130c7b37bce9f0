// Programs that are well, and cannot be reached.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Container } from "./container.ts";
import { canDropPackets, type Fault } from "./nemesis.ts";
import {
  counted,
  everyRequestAnswered,
  INTERVAL_MS,
  LEASE_MS,
  type Scene,
  SLACK_MS,
  scenario,
  timeOf,
} from "./scenario.ts";
import { SLOW } from "./stack.ts";

scenario(
  "a worker cut off from the network past its lease is purged, and registers when it is back",
  (scene) =>
    cutOff(scene, {
      strike: (worker) => scene.nemesis.disconnect(worker),
      heal: (worker) => scene.nemesis.connect(worker),
    }),
);

scenario(
  "a worker whose packets vanish past its lease is purged, and registers when they pass again",
  async (scene) => {
    if (!(await canDropPackets(scene.stack.broker))) return scene.cannot(DROP_PACKETS);
    await cutOff(scene, {
      strike: (worker) => scene.nemesis.blackHole(worker),
      heal: (worker) => scene.nemesis.restorePackets(worker),
    });
  },
);

const DROP_PACKETS =
  "packets are dropped by root of the engine's machine, with nsenter and iptables";

async function cutOff(
  { stack, took }: Scene,
  network: {
    strike(worker: Container): Promise<Fault>;
    heal(worker: Container): Promise<void>;
  },
) {
  const workers = await stack.workersOf(SLOW, 2);
  const asker = stack.asker();
  const reply = asker.ask(1000);
  const [victim, other] = await stack.atWork(workers);
  const { id } = await victim.logged("slow.began");
  const fault = await network.strike(victim);
  const removed = await stack.broker.logged("worker.removed");
  assert.deepEqual([removed.reason, removed.requeued], ["expired", 1]);
  const silence = timeOf(removed) - fault.from;
  took("purged after", silence, { least: LEASE_MS - INTERVAL_MS, most: LEASE_MS + SLACK_MS });
  assert.equal((await reply).by, other.name);
  await other.logged("slow.finished", (line) => line.id === id);
  await victim.logged("session.lost"); // It has noticed, too.

  const [healed, from] = [Date.now(), stack.broker.log.length];
  await network.heal(victim);
  const back = await stack.broker.logged("worker.registered", undefined, { from });
  took("back after", timeOf(back) - healed, { most: LEASE_MS + 2 * SLACK_MS });
  const served = await Promise.all([asker.ask(200), asker.ask(200)]);
  assert.deepEqual(new Set(served.map(({ by }) => by)), new Set([victim.name, other.name]));
  assert.deepEqual(asker.client.unmatchedReplies, { duplicate: 0, late: 0 });
  await counted(stack, { received: 3, answered: 3, requeued: 1 });
}

scenario(
  "a worker cut off for less than its lease: nothing happens",
  async ({ stack, nemesis }) => {
    const worker = await stack.worker();
    const reply = stack.asker().ask(1000);
    await worker.logged("slow.began");
    await nemesis.disconnect(worker);
    await setTimeout(LEASE_MS / 3);
    await nemesis.connect(worker);
    assert.equal((await reply).by, worker.name);
    assert.deepEqual(stack.broker.all("worker.removed"), []);
    assert.equal(stack.judge().executions, 1);
    await counted(stack, { received: 1, answered: 1, requeued: 0, workers: 1 });
  },
  { MDP_HEARTBEAT_LIVENESS: "6" },
);

scenario(
  "every fifth packet of broker and worker lost, under load: slower, and nothing lost",
  async ({ stack, nemesis, cannot }) => {
    if (!(await canDropPackets(stack.broker))) return cannot(DROP_PACKETS);
    const workers = await stack.workersOf(SLOW, 3);
    const load = stack.load();
    await load.goesOn(20);
    await nemesis.losePackets(stack.broker, 0.2);
    await nemesis.losePackets(workers[0], 0.2);
    await load.goesOn(40);
    await nemesis.restorePackets(stack.broker);
    await nemesis.restorePackets(workers[0]);
    await load.goesOn(100);
    await load.stop();
    everyRequestAnswered(stack);
    await counted(stack, { queued: 0, inFlight: 0, workers: 3 });
  },
  { MDP_DELIVERIES_MAX: "10" },
);

scenario(
  "the broker cut off past everybody's lease: workers and clients find it again",
  async ({ stack, nemesis, took }) => {
    const workers = await stack.workersOf(SLOW, 3);
    const load = stack.load();
    await load.goesOn(20);
    await nemesis.disconnect(stack.broker);
    for (const worker of workers) await worker.logged("session.lost");
    const from = stack.broker.log.length;
    await nemesis.connect(stack.broker);
    const healed = Date.now();
    await counted(stack, { workers: 3 });
    await stack.broker.logged("worker.registered", undefined, { from });
    took("all workers back after", Date.now() - healed, { most: LEASE_MS + 2 * SLACK_MS });
    await load.goesOn(50);
    await load.stop();
    everyRequestAnswered(stack);
    await counted(stack, { queued: 0, inFlight: 0, workers: 3 });
  },
  { MDP_DELIVERIES_MAX: "10" },
);
