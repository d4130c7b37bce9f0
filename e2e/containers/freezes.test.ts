// Workers that stand still. Their connections stay, so only their silence tells.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Container } from "./container.ts";
import type { Fault, Nemesis } from "./nemesis.ts";
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

/** So long that a fault strikes before it is over, on a slow machine, too. */
const WORK_MS = 1000;

type Still = {
  strike(nemesis: Nemesis, worker: Container): Promise<Fault>;
  heal(nemesis: Nemesis, worker: Container): Promise<void>;
};
const PAUSED: Still = {
  strike: (nemesis, worker) => nemesis.pause(worker),
  heal: (nemesis, worker) => nemesis.unpause(worker),
};
const STOPPED: Still = {
  strike: (nemesis, worker) => nemesis.freeze(worker),
  heal: (nemesis, worker) => nemesis.thaw(worker),
};

scenario(
  "a worker paused past its lease is purged; thawed, its late reply is dropped and it starts over",
  (scene) => standsStillTooLong(scene, PAUSED),
);

scenario("the same with SIGSTOP and SIGCONT", (scene) => standsStillTooLong(scene, STOPPED));

async function standsStillTooLong({ stack, nemesis, took }: Scene, still: Still) {
  const workers = await stack.workersOf(SLOW, 2);
  const asker = stack.asker();
  const reply = asker.ask(WORK_MS);
  const [victim, other] = await stack.atWork(workers);
  const { id } = await victim.logged("slow.began");
  // Stopped in the middle of a turn of its loop, it might be told to start over before it replies.
  await setTimeout(100);
  const fault = await still.strike(nemesis, victim);
  const removed = await stack.broker.logged("worker.removed");
  assert.deepEqual([removed.reason, removed.requeued], ["expired", 1]);
  const silence = timeOf(removed) - fault.from;
  took("purged after", silence, { least: LEASE_MS - INTERVAL_MS, most: LEASE_MS + SLACK_MS });
  await other.logged("slow.began", (line) => line.id === id);
  assert.equal((await reply).by, other.name);

  const [healed, from] = [Date.now(), stack.broker.log.length];
  await still.heal(nemesis, victim);
  await victim.logged("slow.finished", (line) => line.id === id);
  await stack.broker.logged("peers.disconnected", ({ why }) => why === "an unexpected REPLY");
  await victim.logged("session.lost", ({ why }) => why === "the broker said DISCONNECT");
  const back = await stack.broker.logged("worker.registered", undefined, { from });
  took("back after", timeOf(back) - healed, { most: SLACK_MS });
  const served = await Promise.all([asker.ask(200), asker.ask(200)]);
  assert.deepEqual(new Set(served.map(({ by }) => by)), new Set([victim.name, other.name]));
  assert.deepEqual(asker.client.stray, { duplicate: 0, late: 0 });
  await counted(stack, { received: 3, answered: 3, requeued: 1 });
}

scenario(
  "a worker paused for less than its lease: nothing happens, its request is only late",
  async ({ stack, nemesis, took }) => {
    const workers = await stack.workersOf(SLOW, 2);
    const reply = stack.asker().ask(WORK_MS);
    const [victim] = await stack.atWork(workers);
    const fault = await nemesis.pause(victim);
    await setTimeout(LEASE_MS / 3);
    await nemesis.unpause(victim);
    assert.equal((await reply).by, victim.name);
    took("answered after", Date.now() - fault.from, { most: LEASE_MS + SLACK_MS });
    assert.deepEqual(stack.broker.all("worker.removed"), []);
    assert.equal(stack.judge().executions, 1);
    await counted(stack, { received: 1, answered: 1, requeued: 0, workers: 2 });
  },
);

scenario(
  "a worker paused again and again for less than its lease, under load: nothing is run twice",
  async ({ stack, nemesis }) => {
    const workers = await stack.workersOf(SLOW, 3);
    const load = stack.load();
    for (let nth = 0; nth < 21; nth += 1) {
      const victim = workers[nth % 3] ?? assert.fail();
      await nemesis.pause(victim);
      await setTimeout(LEASE_MS / 5);
      await nemesis.unpause(victim);
      await load.goesOn(10);
    }
    await load.stop();
    everyRequestAnswered(stack);
    assert.deepEqual(stack.begunAgain, []);
    assert.deepEqual(stack.broker.all("worker.removed"), []);
    await counted(stack, { requeued: 0, workers: 3, inFlight: 0 });
  },
);

scenario(
  "a request that expires in the hands of a paused worker: its late reply is dropped, the worker kept",
  async ({ stack, nemesis, took }) => {
    const worker = await stack.worker();
    const asker = stack.asker();
    const asked = Date.now();
    const reply = asker.ask(WORK_MS, { timeoutMs: 2 * WORK_MS });
    await worker.logged("slow.began");
    await nemesis.pause(worker);
    const { error } = await reply;
    const most = 2 * WORK_MS + SLACK_MS;
    took("refused after", Date.now() - asked, { least: 1.9 * WORK_MS, most });
    await nemesis.unpause(worker);
    assert.equal(error, "Expired");
    const late = await stack.broker.logged("replies.dropped");
    assert.deepEqual([late.why, late.count], ["late", 1]);
    assert.equal((await asker.ask(1)).by, worker.name);
    await counted(stack, { received: 2, answered: 1, expired: 1, repliesDropped: 1, requeued: 0 });
  },
  { MDP_HEARTBEAT_LIVENESS: "10" },
);

scenario(
  "two of three workers paused past their leases at once: both purged, both requests requeued",
  async ({ stack, nemesis, took }) => {
    const [one, two, three] = await stack.workersOf(SLOW, 3);
    const asker = stack.asker();
    const replies = [asker.ask(WORK_MS), asker.ask(WORK_MS), asker.ask(WORK_MS)];
    for (const worker of [one, two, three]) await worker.logged("slow.began");
    const [fault] = await Promise.all([nemesis.pause(one), nemesis.pause(two)]);
    const purged = () => stack.broker.all("worker.removed");
    const removed = await stack.broker.logged("worker.removed", () => purged().length === 2);
    assert.deepEqual(
      purged().map(({ reason, requeued }) => [reason, requeued]),
      [
        ["expired", 1],
        ["expired", 1],
      ],
    );
    const silence = timeOf(removed) - fault.from;
    took("purged after", silence, { least: LEASE_MS - INTERVAL_MS, most: LEASE_MS + SLACK_MS });
    for (const reply of replies) assert.equal((await reply).by, three.name);
    await Promise.all([nemesis.unpause(one), nemesis.unpause(two)]);
    await stack.broker.logged("worker.registered", () => stack.registered === 5);
    await counted(stack, { received: 3, answered: 3, requeued: 2, workers: 3 });
  },
);
