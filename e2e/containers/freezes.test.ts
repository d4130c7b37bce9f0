// Workers that stand still. Their connections stay, so only their silence tells.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Asker } from "./asker.ts";
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

async function standsStillTooLong(scene: Scene, still: Still) {
  const { stack } = scene;
  const workers = await stack.workersOf(SLOW, 2);
  const asker = stack.asker();
  let strikes = 1;
  // Stopped in the middle of a turn of its loop, a worker is told that it was given up before its
  // work is over. That is as good, but not what is to be shown.
  while (!(await repliesTooLate(scene, still, workers, asker))) strikes += 1;
  const served = await Promise.all([asker.ask(200), asker.ask(200)]);
  assert.deepEqual(new Set(served.map(({ by }) => by)), new Set(workers.map(({ name }) => name)));
  assert.deepEqual(asker.client.unmatchedReplies, { duplicate: 0, late: 0 });
  const asked = strikes + 2;
  await counted(stack, { received: asked, answered: asked, requeued: strikes });
}

/** Whether the worker that was at work finished it once it could go on. */
async function repliesTooLate(
  { stack, nemesis, took }: Scene,
  still: Still,
  workers: [Container, Container],
  asker: Asker,
): Promise<boolean> {
  const { broker } = stack;
  const reply = asker.ask(WORK_MS);
  const [victim, other] = await stack.atWork(workers);
  const { id } = victim.all("slow.began").at(-1) ?? assert.fail();
  const struck = { from: broker.log.length };
  const fault = await still.strike(nemesis, victim);
  const removed = await broker.logged("worker.removed", undefined, struck);
  assert.deepEqual([removed.reason, removed.requeued], ["expired", 1]);
  const silence = timeOf(removed) - fault.from;
  took("purged after", silence, { least: LEASE_MS - INTERVAL_MS, most: LEASE_MS + SLACK_MS });
  await other.logged("slow.finished", (line) => line.id === id);
  assert.equal((await reply).by, other.name);

  const healed = Date.now();
  const thawed = { victim: { from: victim.log.length }, broker: { from: broker.log.length } };
  await still.heal(nemesis, victim);
  const end = ["slow.finished", "slow.aborted"];
  const ended = end.map((event) => victim.logged(event, (line) => line.id === id));
  const { event } = await Promise.any(ended);
  const reason = "the broker sent DISCONNECT";
  await victim.logged("session.lost", (line) => line.reason === reason, thawed.victim);
  const back = await broker.logged("worker.registered", undefined, thawed.broker);
  took("back after", timeOf(back) - healed, { most: SLACK_MS });
  if (event === "slow.aborted") return false;
  await broker.logged(
    "peers.disconnected",
    (line) => line.reason === "an unexpected REPLY",
    struck,
  );
  return true;
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
    assert.deepEqual([late.reason, late.count], ["late", 1]);
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
