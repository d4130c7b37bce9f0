// Five workers that share one database.

import assert from "node:assert/strict";
import { Random } from "../simulated/random.ts";
import { ask, dbWorkers, onEachEngine } from "./trial.ts";

const TASKS = 40;
const ROUNDS = 15;
const KEYS = 10; // Few, so that all tasks compete for them.

onEachEngine(
  "five workers create the tables at once and write to the same keys: no write is lost",
  async (stack) => {
    const random = new Random(1);
    const workers = await dbWorkers(stack, 5);
    const sums = Array<number>(KEYS).fill(0);
    const add = (key: number, by: number) => {
      sums[key] = (sums[key] ?? 0) + by;
      return { command: "increment", key: `sum:${key}`, by };
    };
    await Promise.all(
      Array.from({ length: TASKS }, async (_, task) => {
        for (let round = 1; round <= ROUNDS; round += 1) {
          const [one, other] = [random.whole(0, KEYS - 1), random.whole(0, KEYS - 1)];
          await ask(stack.client, add(one, round));
          const commands = [add(other, 1), add(one, -1), add(other, 1)];
          await ask(stack.client, { command: "batch", commands });
          await ask(stack.client, { command: "put", key: `own:${task}`, value: round });
          const own = await ask(stack.client, { command: "get", key: `own:${task}` });
          assert.deepEqual([own.value, own.version], [round, round]);
        }
      }),
    );
    const { documents } = await ask(stack.client, { command: "list", prefix: "sum:" });
    assert.deepEqual(
      documents.map(({ value }: { value: number }) => value),
      sums,
    );
    const migrated = workers
      .flatMap((worker) => worker.all("database.opened"))
      .map((line) => line.migrated);
    assert.deepEqual(migrated.flat().sort(), ["1-documents", "2-records"]);
  },
);
