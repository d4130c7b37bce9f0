// A thousand increments, while those who make them are killed: not one is lost, none is made twice.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Program } from "../processes/program.ts";
import type { Stack } from "../processes/stack.ts";
import { Random } from "../simulated/random.ts";
import { ask, DB, dbWorkers, onEachEngine } from "./trial.ts";

const REQUESTS = 1000;
const REQUESTS_A_DEATH = 90;
const ASKERS = 20;
const SEED = Number(process.env.SEED ?? 1);

onEachEngine(`1,000 increments, workers killed at random: 1,000 (SEED=${SEED})`, async (stack) => {
  const random = new Random(SEED);
  const workers = await dbWorkers(stack, 5);
  await increment(stack, random, () => killWorker(stack, workers, random));
  const [, json] = await stack.client.request("mmi.stats", "");
  const { requeued } = JSON.parse(String(json));
  assert.ok(requeued >= 10, `${requeued} requests were in the hands of those who died`);
});

onEachEngine(
  `1,000 increments under ids of their client's, the broker killed, too: 1,000 (SEED=${SEED})`,
  async (stack) => {
    const random = new Random(SEED);
    const workers = await dbWorkers(stack, 5);
    let deaths = 0;
    const kill = async () => {
      deaths += 1;
      if (deaths % 4 > 0) return killWorker(stack, workers, random);
      await stack.broker.destroy();
      await stack.restartBroker();
    };
    await increment(stack, random, kill, () => ({ id: randomUUID() }));
  },
);

/** Another comes in its place. */
async function killWorker(stack: Stack, workers: Program[], random: Random) {
  const place = random.whole(0, workers.length - 1);
  workers[place]?.signal("SIGKILL");
  const before = stack.registered;
  workers[place] = stack.program(DB);
  await stack.broker.logged("worker.registered", () => stack.registered > before);
}

/** Each is answered with a value of its own, and the counter is what they come to. */
async function increment(
  stack: Stack,
  random: Random,
  kill: () => Promise<void>,
  more: () => object = () => ({}),
) {
  const values: number[] = [];
  let asked = 0;
  let killing = Promise.resolve();
  const asker = async () => {
    while (asked < REQUESTS) {
      asked += 1;
      const command = { command: "increment", key: "counter", ...more() };
      values.push((await ask(stack.client, command)).value);
      if (values.length % REQUESTS_A_DEATH > 0) continue;
      await setTimeout(random.whole(0, 20)); // Others are somewhere between asked and answered.
      killing = killing.then(kill);
      await killing;
    }
  };
  await Promise.all(Array.from({ length: ASKERS }, asker));
  const sorted = values.sort((one, other) => one - other);
  const expected = Array.from({ length: REQUESTS }, (_, index) => index + 1);
  assert.deepEqual(sorted, expected);
  const { value, version } = await ask(stack.client, { command: "get", key: "counter" });
  assert.deepEqual([value, version], [REQUESTS, REQUESTS]);
}
