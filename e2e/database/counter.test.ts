// The counter test with real processes that are killed meanwhile.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { counterTest } from "../counter-test.ts";
import type { Program } from "../processes/program.ts";
import type { Stack } from "../processes/stack.ts";
import { Random } from "../simulated/random.ts";
import { DB, dbWorkers, onEachEngine } from "./trial.ts";

const EVERY = 90;
const KILLS = 11; // Of 1,000 increments, one after each EVERY.
const SEED = Number(process.env.SEED ?? 1);

onEachEngine(
  `workers killed during 1,000 increments: the counter is 1,000 (SEED=${SEED})`,
  async (stack) => {
    const random = new Random(SEED);
    const workers = await dbWorkers(stack, 5);
    const kill = () => killWorker(stack, workers, random);
    await counterTest(stack.client, { every: EVERY, kill, random });
    const [, json] = await stack.client.request("mmi.stats", "");
    const { requeued } = JSON.parse(String(json));
    // A worker of SQLite may be between two requests, more often on a busy machine.
    assert.ok(
      requeued >= KILLS / 2,
      `${requeued} requests were in flight to ${KILLS} killed workers`,
    );
  },
);

onEachEngine(
  `workers and broker killed, calls with ids: the counter is 1,000 (SEED=${SEED})`,
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
    const named = () => ({ id: randomUUID() });
    await counterTest(stack.client, { every: EVERY, kill, random }, named);
  },
);

/** Kills a worker, and resolves when another is registered. */
async function killWorker(stack: Stack, workers: Program[], random: Random) {
  const place = random.whole(0, workers.length - 1);
  workers[place]?.signal("SIGKILL");
  const before = stack.registered;
  workers[place] = stack.program(DB);
  await stack.broker.logged("worker.registered", () => stack.registered > before);
}
