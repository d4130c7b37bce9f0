// Broker outages: the broker loses its memory, workers register again, clients send again.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import {
  everyRequestAnswered,
  LEASE_MS,
  type ScenarioContext,
  SLACK_MS,
  scenario,
  timeOf,
  untilCounts,
} from "./scenario.ts";
import { SLOW } from "./stack.ts";

/** The longest time from the broker's start to the last registration, in ms. */
const REGISTERED_MS = 2000;

scenario(
  "broker killed and started again, under load: workers return, every request answered",
  (context) =>
    checkOutage(context, async ({ stack, nemesis }) => {
      await nemesis.kill(stack.broker);
      await nemesis.revive(stack.broker);
    }),
);

scenario("broker killed and replaced at another address: every request answered", (context) =>
  checkOutage(context, async ({ stack, nemesis }) => {
    const { IPAddress: before } = await stack.broker.networkSettings();
    await nemesis.kill(stack.broker);
    await stack.broker.remove();
    // Another container takes the old address.
    const squatter = await stack.startContainer("workers/echo.ts", { name: "squatter" });
    assert.equal((await squatter.networkSettings()).IPAddress, before);
    const broker = await stack.startBroker();
    assert.notEqual((await broker.networkSettings()).IPAddress, before);
  }),
);

scenario("SIGTERM to the broker under load: drains, no request executed twice", async (context) => {
  const client = context.stack.recordingClient();
  let long: Promise<unknown>[] = [];
  await checkOutage(context, async ({ stack, nemesis }) => {
    long = [1, 2, 3].map(() => client.request(500));
    await untilCounts(stack, { inFlight: 3 });
    await nemesis.terminate(stack.broker);
    assert.equal(await stack.broker.ended(), 0);
    await stack.broker.logged("broker.stopped");
    await nemesis.revive(stack.broker);
  });
  await Promise.all(long);
  assert.deepEqual(context.stack.executedTwice, []);
});

scenario("broker killed five times, under load: every request answered", async (context) => {
  for (let index = 0; index < 5; index += 1) {
    await checkOutage(context, async ({ stack, nemesis }) => {
      await nemesis.kill(stack.broker);
      await nemesis.revive(stack.broker);
    });
  }
});

/** Asserts that a restart of the broker under load costs no request and no worker. */
async function checkOutage(
  context: ScenarioContext,
  restart: (context: ScenarioContext) => Promise<void>,
) {
  const { stack, checkTime } = context;
  if (stack.workers.length === 0) await stack.startWorkers(SLOW, 3);
  const load = stack.startLoad();
  await load.advances();
  const before = stack.broker.all("broker.listening").length;
  const old = stack.broker;
  await restart(context);
  const starts = stack.broker === old ? before + 1 : 1;
  await stack.broker.logged(
    "broker.listening",
    () => stack.broker.all("broker.listening").length === starts,
  );
  await load.advances();
  await untilCounts(stack, { workers: 3 });
  await load.stop();
  const listening = stack.broker.all("broker.listening").at(-1) ?? assert.fail();
  const back = stack.broker.all("worker.registered").at(-1) ?? assert.fail();
  checkTime("all workers registered after", timeOf(back) - timeOf(listening), {
    max: REGISTERED_MS + SLACK_MS,
  });
  everyRequestAnswered(stack);
  await untilCounts(stack, { queued: 0, inFlight: 0, workers: 3 });
}

scenario(
  "broker paused for less than a lease: no worker removed, no session lost",
  async ({ stack, nemesis }) => {
    const workers = await stack.startWorkers(SLOW, 3);
    const load = stack.startLoad();
    await load.advances();
    await nemesis.pause(stack.broker);
    await setTimeout(LEASE_MS / 3);
    await nemesis.unpause(stack.broker);
    await load.advances();
    await load.stop();
    assert.deepEqual(stack.broker.all("worker.removed"), []);
    for (const worker of workers) assert.deepEqual(worker.all("session.lost"), []);
    everyRequestAnswered(stack);
    assert.deepEqual(stack.executedTwice, []);
  },
);

scenario(
  "broker paused for longer than a lease: no worker expired, workers that left return",
  async ({ stack, nemesis, checkTime }) => {
    const workers = await stack.startWorkers(SLOW, 3);
    const load = stack.startLoad();
    await load.advances();
    await nemesis.pause(stack.broker);
    for (const worker of workers)
      await worker.logged("session.lost", ({ reason }) => /^no heartbeat /.test(String(reason)));
    await nemesis.unpause(stack.broker);
    const thawed = Date.now();
    await stack.broker.logged("broker.stalled");
    await load.advances();
    await untilCounts(stack, { workers: 3 });
    await load.stop();
    const back = stack.broker.all("worker.registered").at(-1) ?? assert.fail();
    checkTime("all workers registered after", timeOf(back) - thawed, {
      max: REGISTERED_MS + SLACK_MS,
    });
    assert.ok(stack.broker.all("worker.removed").every(({ reason }) => reason !== "expired"));
    everyRequestAnswered(stack);
  },
  { MDP_DELIVERIES_MAX: "10" },
);
