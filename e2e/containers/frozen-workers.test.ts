// Frozen workers. Their connections stay open, so only missing heartbeats reveal them.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Container } from "./container.ts";
import type { Fault, Nemesis } from "./nemesis.ts";
import type { RecordingClient } from "./recording-client.ts";
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

/** The work of a request, in ms: longer than the injection of a fault on a slow machine. */
const WORK_MS = 1000;

type Freeze = {
  inject(nemesis: Nemesis, worker: Container): Promise<Fault>;
  heal(nemesis: Nemesis, worker: Container): Promise<void>;
};
const PAUSE: Freeze = {
  inject: (nemesis, worker) => nemesis.pause(worker),
  heal: (nemesis, worker) => nemesis.unpause(worker),
};
const SIGSTOP: Freeze = {
  inject: (nemesis, worker) => nemesis.freeze(worker),
  heal: (nemesis, worker) => nemesis.thaw(worker),
};

scenario(
  "worker paused past its lease: removed; its late reply is dropped, it registers again",
  (context) => checkFreeze(context, PAUSE),
);

scenario(
  "worker stopped by SIGSTOP past its lease: removed; its late reply is dropped, it registers again",
  (context) => checkFreeze(context, SIGSTOP),
);

async function checkFreeze(context: ScenarioContext, freeze: Freeze) {
  const { stack } = context;
  const workers = await stack.startWorkers(SLOW, 2);
  const client = stack.recordingClient();
  let freezes = 1;
  // A worker frozen in the middle of an event-loop turn may read DISCONNECT before it finishes its
  // work. Then it sends no late reply, so freeze a worker again.
  while (!(await sendsLateReply(context, freeze, workers, client))) freezes += 1;
  const served = await Promise.all([client.request(200), client.request(200)]);
  assert.deepEqual(new Set(served.map(({ by }) => by)), new Set(workers.map(({ name }) => name)));
  assert.deepEqual(client.client.unmatchedReplies, { duplicate: 0, late: 0 });
  const sent = freezes + 2;
  await untilCounts(stack, { received: sent, answered: sent, requeued: freezes });
}

/** Freezes the busy worker past its lease. True if it finishes its request afterwards. */
async function sendsLateReply(
  { stack, nemesis, checkTime }: ScenarioContext,
  freeze: Freeze,
  workers: [Container, Container],
  client: RecordingClient,
): Promise<boolean> {
  const { broker } = stack;
  const reply = client.request(WORK_MS);
  const [victim, other] = await stack.firstBusy(workers);
  const { id } = victim.all("slow.began").at(-1) ?? assert.fail();
  const frozen = { from: broker.log.length };
  const fault = await freeze.inject(nemesis, victim);
  const removed = await broker.logged("worker.removed", undefined, frozen);
  assert.deepEqual([removed.reason, removed.requeued], ["expired", 1]);
  const silence = timeOf(removed) - fault.from;
  checkTime("removed after", silence, { min: LEASE_MS - INTERVAL_MS, max: LEASE_MS + SLACK_MS });
  await other.logged("slow.finished", (line) => line.id === id);
  assert.equal((await reply).by, other.name);

  const healed = Date.now();
  const thawed = { victim: { from: victim.log.length }, broker: { from: broker.log.length } };
  await freeze.heal(nemesis, victim);
  const ends = ["slow.finished", "slow.aborted"];
  const ended = ends.map((event) => victim.logged(event, (line) => line.id === id));
  const { event } = await Promise.any(ended);
  const reason = "the broker sent DISCONNECT";
  await victim.logged("session.lost", (line) => line.reason === reason, thawed.victim);
  const back = await broker.logged("worker.registered", undefined, thawed.broker);
  checkTime("registered again after", timeOf(back) - healed, { max: SLACK_MS });
  if (event === "slow.aborted") return false;
  await broker.logged("peers.disconnected", (line) => line.reason === "unexpected REPLY", frozen);
  return true;
}

scenario(
  "worker paused for less than its lease: keeps its request and answers late",
  async ({ stack, nemesis, checkTime }) => {
    const workers = await stack.startWorkers(SLOW, 2);
    const reply = stack.recordingClient().request(WORK_MS);
    const [victim] = await stack.firstBusy(workers);
    const fault = await nemesis.pause(victim);
    await setTimeout(LEASE_MS / 3);
    await nemesis.unpause(victim);
    assert.equal((await reply).by, victim.name);
    checkTime("answered after", Date.now() - fault.from, { max: LEASE_MS + SLACK_MS });
    assert.deepEqual(stack.broker.all("worker.removed"), []);
    assert.equal(stack.judge().executions, 1);
    await untilCounts(stack, { received: 1, answered: 1, requeued: 0, workers: 2 });
  },
);

scenario(
  "workers paused 21 times for less than a lease, under load: no request executed twice",
  async ({ stack, nemesis }) => {
    const workers = await stack.startWorkers(SLOW, 3);
    const load = stack.startLoad();
    for (let index = 0; index < 21; index += 1) {
      const victim = workers[index % 3] ?? assert.fail();
      await nemesis.pause(victim);
      await setTimeout(LEASE_MS / 5);
      await nemesis.unpause(victim);
      await load.advances(10);
    }
    await load.stop();
    everyRequestAnswered(stack);
    assert.deepEqual(stack.executedTwice, []);
    assert.deepEqual(stack.broker.all("worker.removed"), []);
    await untilCounts(stack, { requeued: 0, workers: 3, inFlight: 0 });
  },
);

scenario(
  "request expires at a paused worker: its late reply is dropped, the worker kept",
  async ({ stack, nemesis, checkTime }) => {
    const worker = await stack.startWorker();
    const client = stack.recordingClient();
    const sent = Date.now();
    const reply = client.request(WORK_MS, { timeoutMs: 2 * WORK_MS });
    await worker.logged("slow.began");
    await nemesis.pause(worker);
    const { error } = await reply;
    const max = 2 * WORK_MS + SLACK_MS;
    checkTime("expired after", Date.now() - sent, { min: 1.9 * WORK_MS, max });
    await nemesis.unpause(worker);
    assert.equal(error, "Expired");
    const late = await stack.broker.logged("replies.dropped");
    assert.deepEqual([late.reason, late.count], ["late", 1]);
    assert.equal((await client.request(1)).by, worker.name);
    await untilCounts(stack, {
      received: 2,
      answered: 1,
      expired: 1,
      repliesDropped: 1,
      requeued: 0,
    });
  },
  { MDP_HEARTBEAT_LIVENESS: "10" },
);

scenario(
  "two of three workers paused past their leases: both removed, both requests requeued",
  async ({ stack, nemesis, checkTime }) => {
    const [one, two, three] = await stack.startWorkers(SLOW, 3);
    const client = stack.recordingClient();
    const replies = [client.request(WORK_MS), client.request(WORK_MS), client.request(WORK_MS)];
    for (const worker of [one, two, three]) await worker.logged("slow.began");
    const [fault] = await Promise.all([nemesis.pause(one), nemesis.pause(two)]);
    const removals = () => stack.broker.all("worker.removed");
    const removed = await stack.broker.logged("worker.removed", () => removals().length === 2);
    assert.deepEqual(
      removals().map(({ reason, requeued }) => [reason, requeued]),
      [
        ["expired", 1],
        ["expired", 1],
      ],
    );
    const silence = timeOf(removed) - fault.from;
    checkTime("removed after", silence, { min: LEASE_MS - INTERVAL_MS, max: LEASE_MS + SLACK_MS });
    for (const reply of replies) assert.equal((await reply).by, three.name);
    await Promise.all([nemesis.unpause(one), nemesis.unpause(two)]);
    await stack.broker.logged("worker.registered", () => stack.registrations === 5);
    await untilCounts(stack, { received: 3, answered: 3, requeued: 2, workers: 3 });
  },
);
