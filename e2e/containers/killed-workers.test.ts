// Workers killed by SIGKILL.

import assert from "node:assert/strict";
import {
  everyRequestAnswered,
  INTERVAL_MS,
  LEASE_MS,
  SLACK_MS,
  scenario,
  timeOf,
  untilCounts,
} from "./scenario.ts";
import { SLOW } from "./stack.ts";

const DEFAULT_INTERVAL_MS = 2500;

scenario(
  "worker killed in mid-request: its connection breaks, its request is requeued at once",
  async ({ stack, nemesis, checkTime }) => {
    const [victim, other] = await stack.startWorkers(SLOW, 2);
    const client = stack.recordingClient();
    const [first, second] = [client.request(1000), client.request(1000)];
    const { id } = await victim.logged("slow.began");
    await other.logged("slow.began");
    const fault = await nemesis.kill(victim);
    const removed = await stack.broker.logged("worker.removed");
    assert.deepEqual([removed.reason, removed.requeued], ["gone", 1]);
    checkTime("removed after", timeOf(removed) - fault.from, { max: DEFAULT_INTERVAL_MS / 2 });
    const again = await other.logged("slow.began", (line) => line.id === id);
    assert.ok(timeOf(again) >= timeOf(removed));
    assert.deepEqual([(await first).by, (await second).by], [other.name, other.name]);
    assert.equal(stack.executedTwice.length, 1);
    await untilCounts(stack, { received: 2, answered: 2, requeued: 1, retried: 0 });
  },
  { MDP_HEARTBEAT_INTERVAL_MS: String(DEFAULT_INTERVAL_MS) },
);

scenario(
  "worker killed, disconnect detection off: removed when its lease ends, its request requeued",
  async ({ stack, nemesis, checkTime }) => {
    await stack.broker.logged("disconnects.undetected");
    const workers = await stack.startWorkers(SLOW, 2);
    const reply = stack.recordingClient().request(1000);
    const [victim, other] = await stack.firstBusy(workers);
    const { id } = await victim.logged("slow.began");
    const fault = await nemesis.kill(victim);
    const removed = await stack.broker.logged("worker.removed");
    assert.deepEqual([removed.reason, removed.requeued], ["expired", 1]);
    const silence = timeOf(removed) - fault.from;
    checkTime("removed after", silence, { min: LEASE_MS - INTERVAL_MS, max: LEASE_MS + SLACK_MS });
    await other.logged("slow.began", (line) => line.id === id);
    assert.equal((await reply).by, other.name);
    await untilCounts(stack, { received: 1, answered: 1, requeued: 1 });
  },
  { MDP_NOTICE_BROKEN_CONNECTIONS: "off" },
);

scenario("idle worker killed: no request affected", async ({ stack, nemesis, checkTime }) => {
  const [victim, other] = await stack.startWorkers(SLOW, 2);
  const fault = await nemesis.kill(victim);
  const removed = await stack.broker.logged("worker.removed");
  assert.deepEqual([removed.reason, removed.requeued], ["gone", 0]);
  checkTime("removed after", timeOf(removed) - fault.from, { max: LEASE_MS });
  const client = stack.recordingClient();
  for (let index = 0; index < 4; index += 1) assert.equal((await client.request(1)).by, other.name);
  await untilCounts(stack, { received: 4, answered: 4, requeued: 0, workers: 1 });
});

scenario(
  "all workers of a service killed: a request expires after its time to live with NoWorker",
  async ({ stack, nemesis, checkTime }) => {
    const workers = await stack.startWorkers(SLOW, 3);
    await Promise.all(workers.map((worker) => nemesis.kill(worker)));
    await untilCounts(stack, { workers: 0 });
    const sent = Date.now();
    const { error } = await stack.recordingClient().request(1, { timeoutMs: 1000 });
    assert.equal(error, "NoWorker");
    checkTime("expired after", Date.now() - sent, { min: 900, max: 1000 + SLACK_MS });
    await untilCounts(stack, { received: 1, expired: 1, queued: 0 });
  },
);

scenario(
  "all workers of a service killed, one returns: its queue drains",
  async ({ stack, nemesis, checkTime }) => {
    const workers = await stack.startWorkers(SLOW, 3);
    const client = stack.recordingClient();
    const replies = Array.from({ length: 20 }, () => client.request(100));
    for (const worker of workers) await worker.logged("slow.began");
    await Promise.all(workers.map((worker) => nemesis.kill(worker)));
    await untilCounts(stack, { workers: 0, inFlight: 0 });
    const [one] = workers;
    await nemesis.revive(one);
    const revived = Date.now();
    for (const outcome of await Promise.all(replies)) assert.ok("answers" in outcome);
    checkTime("drained after", Date.now() - revived, { max: 20 * 100 + 2 * SLACK_MS });
    await untilCounts(stack, { received: 20, answered: 20, queued: 0 });
  },
);

scenario(
  "request that kills its workers: quarantined after three, other requests answered",
  async ({ stack, nemesis }) => {
    const workers = await stack.startWorkers(SLOW, 4);
    const client = stack.recordingClient();
    const poison = client.request("die");
    const others = Array.from({ length: 12 }, () => client.request(200));
    const outcome = await poison;
    assert.deepEqual([outcome.error, "refused" in outcome], ["Quarantined", true]);
    for (const other of await Promise.all(others)) assert.ok("answers" in other);
    const { deliveries } = await stack.broker.logged("request.quarantined");
    assert.equal(deliveries, 3);
    const dead = stack.broker.all("worker.removed");
    assert.deepEqual(new Set(dead.map(({ reason }) => reason)), new Set(["gone"]));
    assert.equal(dead.length, 3);
    for (const worker of workers) {
      const begun = worker.all("slow.began").find(({ request }) => request === "c0-1");
      if (begun) nemesis.recordCrash(worker, timeOf(begun));
    }
    assert.equal(nemesis.faults.length, 3);
    await untilCounts(stack, { received: 13, answered: 12, quarantined: 1, workers: 1 });
  },
);

scenario(
  "twenty workers killed in turn, under load: every request answered",
  async ({ stack, nemesis, checkTime }) => {
    const workers = await stack.startWorkers(SLOW, 4);
    const load = stack.startLoad(3);
    const removals: number[] = [];
    for (let index = 0; index < 20; index += 1) {
      const victim = workers[index % workers.length] ?? assert.fail();
      const [from, registered] = [stack.broker.log.length, stack.registrations];
      await load.advances(20);
      const fault = await nemesis.kill(victim);
      const removed = await stack.broker.logged("worker.removed", undefined, { from });
      removals.push(timeOf(removed) - fault.from);
      await nemesis.revive(victim);
      await stack.broker.logged("worker.registered", () => stack.registrations > registered);
    }
    await load.stop();
    checkTime("each removed within", Math.max(...removals), { max: LEASE_MS - INTERVAL_MS });
    everyRequestAnswered(stack);
    await untilCounts(stack, { workers: 4, queued: 0, inFlight: 0 });
  },
  { MDP_DELIVERIES_MAX: "20" },
);
