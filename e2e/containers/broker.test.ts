// A broker that is away. It remembers nothing; its workers find it again, and its clients ask again.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import {
  counted,
  everyRequestAnswered,
  LEASE_MS,
  type Scene,
  SLACK_MS,
  scenario,
  timeOf,
} from "./scenario.ts";
import { SLOW } from "./stack.ts";

/** Within how many ms of its start a broker is to have its workers back. */
const BACK_MS = 2000;

scenario("the broker killed and started again: workers back, all requests answered", (scene) =>
  comesBack(scene, async ({ stack, nemesis }) => {
    await nemesis.kill(stack.broker);
    await nemesis.revive(stack.broker);
  }),
);

scenario("the broker killed, and another in its place under a new address", (scene) =>
  comesBack(scene, async ({ stack, nemesis }) => {
    const { IPAddress: before } = await stack.broker.endpoint();
    await nemesis.kill(stack.broker);
    await stack.broker.remove();
    const squatter = await stack.container("workers/echo.ts", { name: "squatter" });
    assert.equal((await squatter.endpoint()).IPAddress, before);
    const broker = await stack.startBroker();
    assert.notEqual((await broker.endpoint()).IPAddress, before);
  }),
);

scenario("the broker stopped by SIGTERM under load and started again", async (scene) => {
  const asker = scene.stack.asker();
  let long: Promise<unknown>[] = [];
  await comesBack(scene, async ({ stack, nemesis }) => {
    long = [1, 2, 3].map(() => asker.ask(500));
    await counted(stack, { inFlight: 3 });
    await nemesis.terminate(stack.broker);
    assert.equal(await stack.broker.ended(), 0);
    await stack.broker.logged("broker.stopped");
    await nemesis.revive(stack.broker);
  });
  await Promise.all(long);
  assert.deepEqual(scene.stack.begunAgain, []); // It has drained.
});

scenario("the broker killed five times in a row, under load", async (scene) => {
  for (let nth = 0; nth < 5; nth += 1) {
    await comesBack(scene, async ({ stack, nemesis }) => {
      await nemesis.kill(stack.broker);
      await nemesis.revive(stack.broker);
    });
  }
});

/** Under load: whatever ends the broker and starts it again, nothing is missed. */
async function comesBack(scene: Scene, restart: (scene: Scene) => Promise<void>) {
  const { stack, took } = scene;
  if (stack.workers.length === 0) await stack.workersOf(SLOW, 3);
  const load = stack.load();
  await load.goesOn();
  const before = stack.broker.all("broker.listening").length;
  const old = stack.broker;
  await restart(scene);
  const lives = stack.broker === old ? before + 1 : 1;
  await stack.broker.logged(
    "broker.listening",
    () => stack.broker.all("broker.listening").length === lives,
  );
  await load.goesOn();
  await counted(stack, { workers: 3 });
  await load.stop();
  const listening = stack.broker.all("broker.listening").at(-1) ?? assert.fail();
  const back = stack.broker.all("worker.registered").at(-1) ?? assert.fail();
  took("all workers back after", timeOf(back) - timeOf(listening), { most: BACK_MS + SLACK_MS });
  everyRequestAnswered(stack);
  await counted(stack, { queued: 0, inFlight: 0, workers: 3 });
}

scenario(
  "the broker paused for less than a lease: nobody is removed, nobody leaves",
  async ({ stack, nemesis }) => {
    const workers = await stack.workersOf(SLOW, 3);
    const load = stack.load();
    await load.goesOn();
    await nemesis.pause(stack.broker);
    await setTimeout(LEASE_MS / 3);
    await nemesis.unpause(stack.broker);
    await load.goesOn();
    await load.stop();
    assert.deepEqual(stack.broker.all("worker.removed"), []);
    for (const worker of workers) assert.deepEqual(worker.all("session.lost"), []);
    everyRequestAnswered(stack);
    assert.deepEqual(stack.begunAgain, []);
  },
);

scenario(
  "the broker paused for longer than all leases: it purges nobody, and those that left return",
  async ({ stack, nemesis, took }) => {
    const workers = await stack.workersOf(SLOW, 3);
    const load = stack.load();
    await load.goesOn();
    await nemesis.pause(stack.broker);
    for (const worker of workers)
      await worker.logged("session.lost", ({ reason }) => reason === "the broker is silent");
    await nemesis.unpause(stack.broker);
    const thawed = Date.now();
    await stack.broker.logged("broker.stalled");
    await load.goesOn();
    await counted(stack, { workers: 3 });
    await load.stop();
    const back = stack.broker.all("worker.registered").at(-1) ?? assert.fail();
    took("all workers back after", timeOf(back) - thawed, { most: BACK_MS + SLACK_MS });
    assert.ok(stack.broker.all("worker.removed").every(({ reason }) => reason !== "expired"));
    everyRequestAnswered(stack);
  },
  { MDP_DELIVERIES_MAX: "10" },
);
