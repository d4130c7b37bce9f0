// Two faults at once: what one rule mends must not stand in the way of another.

import assert from "node:assert/strict";
import type { Load } from "./load.ts";
import { counted, everyRequestAnswered, scenario } from "./scenario.ts";
import { SLOW, type Stack } from "./stack.ts";

const OFTEN = { MDP_DELIVERIES_MAX: "20" };

scenario(
  "two faults at once: a worker killed while another is paused past its lease",
  async ({ stack, nemesis }) => {
    const [one, two] = await stack.workersOf(SLOW, 3);
    const load = stack.load();
    await load.goesOn();
    await Promise.all([nemesis.kill(one), nemesis.pause(two)]);
    const reasons = () => stack.broker.all("worker.removed").map(({ reason }) => reason);
    await stack.broker.logged("worker.removed", () => reasons().length === 2);
    assert.deepEqual(reasons(), ["gone", "expired"]);
    await load.goesOn();
    await Promise.all([nemesis.revive(one), nemesis.unpause(two)]);
    await counted(stack, { workers: 3 });
    await load.stop();
    const asked = everyRequestAnswered(stack);
    await counted(stack, { received: asked, answered: asked, queued: 0, inFlight: 0 });
  },
);

scenario(
  "two faults at once: the broker and a worker killed together",
  async ({ stack, nemesis }) => {
    const [one] = await stack.workersOf(SLOW, 3);
    const load = stack.load();
    await load.goesOn();
    await Promise.all([nemesis.kill(one), nemesis.kill(stack.broker)]);
    await nemesis.revive(stack.broker);
    await load.goesOn();
    await nemesis.revive(one);
    await endsWell(stack, load);
  },
  OFTEN,
);

scenario(
  "two faults at once: a worker dies while the broker is paused, another while it is cut off",
  async ({ stack, nemesis }) => {
    const [one, two, three] = await stack.workersOf(SLOW, 3);
    const load = stack.load();
    await load.goesOn();
    await nemesis.pause(stack.broker);
    await nemesis.kill(one);
    await three.logged("session.lost", ({ reason }) => reason === "the broker is silent");
    await nemesis.unpause(stack.broker);
    await nemesis.disconnect(stack.broker);
    await nemesis.kill(two);
    await nemesis.connect(stack.broker);
    await load.goesOn();
    await Promise.all([nemesis.revive(one), nemesis.revive(two)]);
    await endsWell(stack, load);
  },
  OFTEN,
);

scenario(
  "two faults at once: every worker terminated while the broker drains",
  async ({ stack, nemesis }) => {
    const workers = await stack.workersOf(SLOW, 3);
    const load = stack.load();
    await load.goesOn();
    await Promise.all([stack.broker, ...workers].map((each) => nemesis.terminate(each)));
    const codes = await Promise.all([stack.broker, ...workers].map((each) => each.ended()));
    assert.deepEqual(codes, [0, 0, 0, 0]);
    assert.deepEqual(stack.begunAgain, []);
    for (const each of [stack.broker, ...workers]) await nemesis.revive(each);
    await load.goesOn();
    await load.stop();
    everyRequestAnswered(stack);
    await counted(stack, { queued: 0, inFlight: 0, workers: 3 });
  },
);

/** All workers are back, and every request is answered. */
async function endsWell(stack: Stack, load: Load) {
  await counted(stack, { workers: 3 });
  await load.stop();
  everyRequestAnswered(stack);
  await counted(stack, { queued: 0, inFlight: 0 });
}
