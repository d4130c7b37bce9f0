// Five workers that share one database.

import assert from "node:assert/strict";
import pg from "pg";
import { Opened, onServer } from "../../workers/db/empty-database.testing.ts";
import { Random } from "../simulated/random.ts";
import { ask, dbWorkers, onEachEngine, onPostgres } from "./trial.ts";

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

const BATCHES = 40;

onPostgres(
  "batches create the same documents in opposite orders: no deadlock",
  async (_stack, server) => {
    const workers = [await Opened.of(onServer(server.url)), await Opened.of(onServer(server.url))];
    const keys = ["a", "b", "c", "d", "e", "f"];
    for (let round = 0; round < BATCHES; round += 1) {
      const puts = keys.map((key) => ({ command: "put", key: `${key}:${round}`, value: round }));
      const orders = [puts, puts.toReversed(), puts.slice(3).concat(puts.slice(0, 3))];
      await Promise.all(
        orders.map((commands, nth) =>
          workers[nth % 2]?.ask({ command: "batch", commands }, null, AbortSignal.timeout(60_000)),
        ),
      );
    }
    await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    const sql = "select deadlocks from pg_stat_database where datname = current_database()";
    const { rows } = await client.query(sql).finally(() => client.end());
    assert.equal(Number(rows[0].deadlocks), 0);
  },
);
