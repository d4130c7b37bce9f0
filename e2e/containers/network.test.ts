// Network faults: the programs run, but they cannot reach one another.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Container } from "./container.ts";
import { canDropPackets, type Fault } from "./nemesis.ts";
import {
  everyRequestAnswered,
  INTERVAL_MS,
  LEASE_MS,
  type ScenarioContext,
  SLACK_MS,
  scenario,
  timeOf,
  untilCounts,
} from "./scenario.ts";
import { SLOW } from "./stack.ts";

scenario(
  "worker disconnected past its lease: removed, registers again when reconnected",
  (context) =>
    checkNetworkFault(context, {
      inject: (worker) => context.nemesis.disconnect(worker),
      heal: (worker) => context.nemesis.connect(worker),
    }),
);

scenario(
  "worker whose packets are dropped past its lease: removed, registers again when they pass",
  async (context) => {
    if (!(await canDropPackets(context.stack.broker))) return context.skip(DROP_PACKETS);
    await checkNetworkFault(context, {
      inject: (worker) => context.nemesis.blackHole(worker),
      heal: (worker) => context.nemesis.restorePackets(worker),
    });
  },
);

const DROP_PACKETS =
  "dropping packets needs root, nsenter and iptables on the machine of the Docker engine";

async function checkNetworkFault(
  { stack, checkTime }: ScenarioContext,
  network: {
    inject(worker: Container): Promise<Fault>;
    heal(worker: Container): Promise<void>;
  },
) {
  const workers = await stack.startWorkers(SLOW, 2);
  const client = stack.recordingClient();
  const reply = client.request(1000);
  const [victim, other] = await stack.firstBusy(workers);
  const { id } = await victim.logged("slow.began");
  const fault = await network.inject(victim);
  const removed = await stack.broker.logged("worker.removed");
  assert.deepEqual([removed.reason, removed.requeued], ["expired", 1]);
  const silence = timeOf(removed) - fault.from;
  checkTime("removed after", silence, { min: LEASE_MS - INTERVAL_MS, max: LEASE_MS + SLACK_MS });
  assert.equal((await reply).by, other.name);
  await other.logged("slow.finished", (line) => line.id === id);
  await victim.logged("session.lost");

  const [healed, from] = [Date.now(), stack.broker.log.length];
  await network.heal(victim);
  const back = await stack.broker.logged("worker.registered", undefined, { from });
  checkTime("registered again after", timeOf(back) - healed, { max: LEASE_MS + 2 * SLACK_MS });
  const served = await Promise.all([client.request(200), client.request(200)]);
  assert.deepEqual(new Set(served.map(({ by }) => by)), new Set([victim.name, other.name]));
  assert.deepEqual(client.client.unmatchedReplies, { duplicate: 0, late: 0 });
  await untilCounts(stack, { received: 3, answered: 3, requeued: 1 });
}

scenario(
  "worker disconnected for less than its lease: keeps its request and answers",
  async ({ stack, nemesis }) => {
    const worker = await stack.startWorker();
    const reply = stack.recordingClient().request(1000);
    await worker.logged("slow.began");
    await nemesis.disconnect(worker);
    await setTimeout(LEASE_MS / 3);
    await nemesis.connect(worker);
    assert.equal((await reply).by, worker.name);
    assert.deepEqual(stack.broker.all("worker.removed"), []);
    assert.equal(stack.judge().executions, 1);
    await untilCounts(stack, { received: 1, answered: 1, requeued: 0, workers: 1 });
  },
  { MDP_HEARTBEAT_LIVENESS: "6" },
);

scenario(
  "20 % packet loss at the broker and a worker, under load: every request answered",
  async ({ stack, nemesis, skip }) => {
    if (!(await canDropPackets(stack.broker))) return skip(DROP_PACKETS);
    const workers = await stack.startWorkers(SLOW, 3);
    const load = stack.startLoad();
    await load.advances(20);
    await nemesis.losePackets(stack.broker, 0.2);
    await nemesis.losePackets(workers[0], 0.2);
    await load.advances(40);
    await nemesis.restorePackets(stack.broker);
    await nemesis.restorePackets(workers[0]);
    await load.advances(100);
    await load.stop();
    everyRequestAnswered(stack);
    await untilCounts(stack, { queued: 0, inFlight: 0, workers: 3 });
  },
  { MDP_DELIVERIES_MAX: "10" },
);

scenario(
  "broker disconnected past all leases, under load: workers return, every request answered",
  async ({ stack, nemesis, checkTime }) => {
    const workers = await stack.startWorkers(SLOW, 3);
    const load = stack.startLoad();
    await load.advances(20);
    await nemesis.disconnect(stack.broker);
    for (const worker of workers) await worker.logged("session.lost");
    const from = stack.broker.log.length;
    await nemesis.connect(stack.broker);
    const healed = Date.now();
    await untilCounts(stack, { workers: 3 });
    await stack.broker.logged("worker.registered", undefined, { from });
    checkTime("all workers registered after", Date.now() - healed, {
      max: LEASE_MS + 2 * SLACK_MS,
    });
    await load.advances(50);
    await load.stop();
    everyRequestAnswered(stack);
    await untilCounts(stack, { queued: 0, inFlight: 0, workers: 3 });
  },
  { MDP_DELIVERIES_MAX: "10" },
);
