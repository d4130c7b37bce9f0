// Workers whose clocks are wrong: the age of a record is a matter of the database's clock.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { counterTest } from "../counter-test.ts";
import type { Program } from "../processes/program.ts";
import type { Stack } from "../processes/stack.ts";
import { Random } from "../simulated/random.ts";
import { SKEWS_MS, skewedBy } from "./skewed-clock.ts";
import { ask, DB, onEachEngine } from "./trial.ts";

const INCREMENT = { command: "increment", key: "counter" };
const SEED = Number(process.env.SEED ?? 1);

onEachEngine("workers two hours behind and ahead: one effect per id", async (stack) => {
  const id = randomUUID();
  for (const skewMs of [...SKEWS_MS, ...SKEWS_MS.toReversed()]) {
    const worker = await skewedWorker(stack, skewMs);
    assert.equal((await ask(stack.client, { ...INCREMENT, id })).value, 1, `${skewMs} ms ahead`);
    await worker.stop();
  }
});

onEachEngine(
  `workers with wrong clocks killed during 1,000 increments: the counter is 1,000 (SEED=${SEED})`,
  async (stack) => {
    const random = new Random(SEED);
    const workers: Program[] = [];
    for (const skewMs of SKEWS_MS) workers.push(await skewedWorker(stack, skewMs));
    const kill = async () => {
      const place = random.whole(0, workers.length - 1);
      workers[place]?.signal("SIGKILL");
      workers[place] = await skewedWorker(stack, random.pick(SKEWS_MS));
    };
    await counterTest(stack.client, { every: 90, kill, random }, () => ({ id: randomUUID() }));
  },
);

/** Starts a worker whose clock is ahead by so many ms; resolves when it is registered. */
async function skewedWorker(stack: Stack, ms: number): Promise<Program> {
  const before = stack.registered;
  const worker = stack.program(DB, [], skewedBy(ms));
  await stack.broker.logged("worker.registered", () => stack.registered > before);
  return worker;
}
