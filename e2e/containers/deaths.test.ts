// Workers that are killed.

import assert from "node:assert/strict";
import {
  counted,
  everyRequestAnswered,
  INTERVAL_MS,
  LEASE_MS,
  SLACK_MS,
  scenario,
  timeOf,
} from "./scenario.ts";
import { SLOW } from "./stack.ts";

const DEFAULT_INTERVAL_MS = 2500;

scenario(
  "a worker killed in mid-request is noticed by its connection, and its request requeued at once",
  async ({ stack, nemesis, took }) => {
    const [victim, other] = await stack.workersOf(SLOW, 2);
    const asker = stack.asker();
    const [first, second] = [asker.ask(1000), asker.ask(1000)];
    const { id } = await victim.logged("slow.began");
    await other.logged("slow.began");
    const fault = await nemesis.kill(victim);
    const removed = await stack.broker.logged("worker.removed");
    assert.deepEqual([removed.reason, removed.requeued], ["gone", 1]);
    took("purged after", timeOf(removed) - fault.from, { most: DEFAULT_INTERVAL_MS / 2 });
    const again = await other.logged("slow.began", (line) => line.id === id);
    assert.ok(timeOf(again) >= timeOf(removed));
    assert.deepEqual([(await first).by, (await second).by], [other.name, other.name]);
    assert.equal(stack.begunAgain.length, 1);
    await counted(stack, { received: 2, answered: 2, requeued: 1, retried: 0 });
  },
  { MDP_HEARTBEAT_INTERVAL_MS: String(DEFAULT_INTERVAL_MS) },
);

scenario(
  "the same with that detection turned off: purged by its silence, not before, and requeued",
  async ({ stack, nemesis, took }) => {
    await stack.broker.logged("disconnects.undetected");
    const workers = await stack.workersOf(SLOW, 2);
    const reply = stack.asker().ask(1000);
    const [victim, other] = await stack.atWork(workers);
    const { id } = await victim.logged("slow.began");
    const fault = await nemesis.kill(victim);
    const removed = await stack.broker.logged("worker.removed");
    assert.deepEqual([removed.reason, removed.requeued], ["expired", 1]);
    const silence = timeOf(removed) - fault.from;
    took("purged after", silence, { least: LEASE_MS - INTERVAL_MS, most: LEASE_MS + SLACK_MS });
    await other.logged("slow.began", (line) => line.id === id);
    assert.equal((await reply).by, other.name);
    await counted(stack, { received: 1, answered: 1, requeued: 1 });
  },
  { MDP_NOTICE_BROKEN_CONNECTIONS: "off" },
);

scenario("an idle worker that is killed costs no request", async ({ stack, nemesis, took }) => {
  const [victim, other] = await stack.workersOf(SLOW, 2);
  const fault = await nemesis.kill(victim);
  const removed = await stack.broker.logged("worker.removed");
  assert.deepEqual([removed.reason, removed.requeued], ["gone", 0]);
  took("purged after", timeOf(removed) - fault.from, { most: LEASE_MS });
  const asker = stack.asker();
  for (let nth = 0; nth < 4; nth += 1) assert.equal((await asker.ask(1)).by, other.name);
  await counted(stack, { received: 4, answered: 4, requeued: 0, workers: 1 });
});

scenario(
  "all workers of a service killed: who waits no longer than its ttl is told that there is none",
  async ({ stack, nemesis, took }) => {
    const workers = await stack.workersOf(SLOW, 3);
    await Promise.all(workers.map((worker) => nemesis.kill(worker)));
    await counted(stack, { workers: 0 });
    const asked = Date.now();
    const told = await stack.asker().ask(1, { timeoutMs: 1000 });
    assert.equal(told.error, "NoWorker");
    took("refused after", Date.now() - asked, { least: 900, most: 1000 + SLACK_MS });
    await counted(stack, { received: 1, expired: 1, queued: 0 });
  },
);

scenario(
  "all workers of a service killed: its queue waits, and drains when one returns",
  async ({ stack, nemesis, took }) => {
    const workers = await stack.workersOf(SLOW, 3);
    const asker = stack.asker();
    const replies = Array.from({ length: 20 }, () => asker.ask(100));
    for (const worker of workers) await worker.logged("slow.began");
    await Promise.all(workers.map((worker) => nemesis.kill(worker)));
    await counted(stack, { workers: 0, inFlight: 0 });
    const [one] = workers;
    await nemesis.revive(one);
    const revived = Date.now();
    for (const told of await Promise.all(replies)) assert.ok("answers" in told);
    took("drained after", Date.now() - revived, { most: 20 * 100 + 2 * SLACK_MS });
    await counted(stack, { received: 20, answered: 20, queued: 0 });
  },
);

scenario(
  "a request that kills every worker it meets is given up after three, and the rest is served",
  async ({ stack, nemesis }) => {
    const workers = await stack.workersOf(SLOW, 4);
    const asker = stack.asker();
    const poison = asker.ask("die");
    const others = Array.from({ length: 12 }, () => asker.ask(200));
    const told = await poison;
    assert.deepEqual([told.error, "refused" in told], ["Quarantined", true]);
    for (const other of await Promise.all(others)) assert.ok("answers" in other);
    const { deliveries } = await stack.broker.logged("request.quarantined");
    assert.equal(deliveries, 3);
    const dead = stack.broker.all("worker.removed");
    assert.deepEqual(new Set(dead.map(({ reason }) => reason)), new Set(["gone"]));
    assert.equal(dead.length, 3);
    for (const worker of workers) {
      const met = worker.all("slow.began").find(({ request }) => request === "c0-1");
      if (met) nemesis.sawCrash(worker, timeOf(met));
    }
    assert.equal(nemesis.faults.length, 3);
    await counted(stack, { received: 13, answered: 12, quarantined: 1, workers: 1 });
  },
);

scenario(
  "workers killed one after the other under load: twenty deaths, nothing lost",
  async ({ stack, nemesis, took }) => {
    const workers = await stack.workersOf(SLOW, 4);
    const load = stack.load(3);
    const purges: number[] = [];
    for (let nth = 0; nth < 20; nth += 1) {
      const victim = workers[nth % workers.length] ?? assert.fail();
      const [from, registered] = [stack.broker.log.length, stack.registered];
      await load.goesOn(20);
      const fault = await nemesis.kill(victim);
      const removed = await stack.broker.logged("worker.removed", undefined, { from });
      purges.push(timeOf(removed) - fault.from);
      await nemesis.revive(victim);
      await stack.broker.logged("worker.registered", () => stack.registered > registered);
    }
    await load.stop();
    took("purged at the latest after", Math.max(...purges), { most: LEASE_MS - INTERVAL_MS });
    everyRequestAnswered(stack);
    await counted(stack, { workers: 4, queued: 0, inFlight: 0 });
  },
  { MDP_DELIVERIES_MAX: "20" },
);
