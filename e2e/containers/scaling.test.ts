// Workers that come and go because somebody wants it so.

import assert from "node:assert/strict";
import type { Asker } from "./asker.ts";
import type { Container } from "./container.ts";
import type { Nemesis } from "./nemesis.ts";
import { counted, everyRequestAnswered, SLACK_MS, scenario } from "./scenario.ts";
import { SLOW } from "./stack.ts";

/** A request would be given up for one worker that it has lost. */
const LEAVING_COSTS_NOTHING = { MDP_DELIVERIES_MAX: "1" };

scenario(
  "SIGTERM on a busy worker: it finishes, and nothing is delivered again",
  async ({ stack, nemesis, took }) => {
    const workers = await stack.workersOf(SLOW, 2);
    const asker = stack.asker();
    const reply = asker.ask(1000);
    const [victim, other] = await stack.atWork(workers);
    const fault = await nemesis.terminate(victim);
    const next = [asker.ask(10), asker.ask(10)];
    assert.equal((await reply).by, victim.name);
    assert.equal(await victim.ended(), 0);
    took("gone after", Date.now() - fault.from, { most: 1000 + SLACK_MS });
    const removed = await stack.broker.logged("worker.removed");
    assert.equal(removed.reason, "left");
    for (const told of await Promise.all(next)) assert.equal(told.by, other.name);
    assert.equal(stack.judge().executions, 3);
    await counted(stack, { received: 3, answered: 3, workers: 1 });
  },
);

scenario(
  "scaled from 1 to 5 and down to 2 under load: nothing lost, nothing run twice",
  async ({ stack, nemesis }) => {
    const first = await stack.worker();
    const load = stack.load();
    await load.goesOn();
    const [second, ...more] = await stack.workersOf(SLOW, 4);
    await load.goesOn(200);
    const served = new Set(
      stack.workers.filter((worker) => worker.all("slow.finished").length > 0),
    );
    assert.equal(served.size, 5);
    const asker = stack.asker();
    const long = Array.from({ length: 20 }, () => asker.ask(300)); // So that those that leave are busy.
    for (const worker of more)
      await worker.logged("slow.began", ({ request }) => isOf(asker, request));
    await Promise.all(more.map((worker) => leaves(nemesis, worker)));
    await load.goesOn();
    await Promise.all([load.stop(), ...long]);
    const asked = everyRequestAnswered(stack);
    assert.deepEqual(stack.begunAgain, []);
    const removed = stack.broker.all("worker.removed").map(({ reason }) => reason);
    assert.deepEqual(removed, ["left", "left", "left"]);
    await counted(stack, { received: asked, answered: asked, workers: 2, inFlight: 0 });
    for (const worker of [first, second]) assert.deepEqual(worker.all("session.lost"), []);
  },
  LEAVING_COSTS_NOTHING,
);

scenario(
  "a rolling restart of every worker under load: nothing lost, nothing run twice",
  async ({ stack, nemesis, took }) => {
    const workers = await stack.workersOf(SLOW, 4);
    const load = stack.load();
    const times: number[] = [];
    for (const worker of workers) {
      const [begun, registered] = [Date.now(), stack.registered];
      await leaves(nemesis, worker);
      await nemesis.revive(worker);
      await stack.broker.logged("worker.registered", () => stack.registered > registered);
      times.push(Date.now() - begun);
      await load.goesOn(20);
    }
    await load.stop();
    took("a worker replaced within", Math.max(...times), { most: 4 * SLACK_MS });
    const asked = everyRequestAnswered(stack);
    assert.deepEqual(stack.begunAgain, []);
    await counted(stack, { received: asked, answered: asked, workers: 4, inFlight: 0 });
  },
  LEAVING_COSTS_NOTHING,
);

const isOf = ({ name }: Asker, request: unknown) => String(request).startsWith(`${name}-`);

async function leaves(nemesis: Nemesis, worker: Container) {
  await nemesis.terminate(worker);
  assert.equal(await worker.ended(), 0);
}
