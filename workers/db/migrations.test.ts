import assert from "node:assert/strict";
import { test } from "node:test";
import { Kysely } from "kysely";
import { emptyDatabase, Opened } from "./empty-database.testing.ts";

type MigrationTable = { kysely_migration: { name: string; timestamp: string } };

/** The migrations that workers of 0.1.0 have. They refuse a database with any other one. */
const OF_0_1_0 = ["1-documents", "2-records"];

const INCREMENT = { command: "increment", key: "counter" };

test("new database: the migration table has the names that 0.1.0 has, and no more", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database);
  await using tables = new Kysely<MigrationTable>({ dialect: database.engine().dialect });
  const rows = await tables.selectFrom("kysely_migration").select("name").orderBy("name").execute();
  assert.deepEqual(
    rows.map(({ name }) => name),
    OF_0_1_0,
  );
  const [opened] = worker.log;
  assert.ok(opened?.event === "database.opened");
  assert.deepEqual([opened.migrated, opened.newer], [OF_0_1_0, []]);
});

test("database that a newer version migrated: the worker starts, and logs the names", async () => {
  const database = await emptyDatabase();
  await (await Opened.of(database))[Symbol.asyncDispose]();
  await using tables = new Kysely<MigrationTable>({ dialect: database.engine().dialect });
  const timestamp = new Date().toISOString();
  const names = ["0-before", "3-newer"];
  const rows = names.map((name) => ({ name, timestamp }));
  await tables.insertInto("kysely_migration").values(rows).execute();
  for (let start = 1; start <= 2; start += 1) {
    await using worker = await Opened.of(database);
    const [opened] = worker.log;
    assert.ok(opened?.event === "database.opened");
    assert.deepEqual([opened.migrated, opened.newer.sort()], [[], names]);
    assert.equal((await worker.ask(INCREMENT)).value, start);
  }
});

test("several workers start at once on an empty database: one migrates", async () => {
  const database = await emptyDatabase();
  const workers = await Promise.all(Array.from({ length: 4 }, () => Opened.of(database)));
  const migrated = workers.flatMap(({ log: [opened] }) =>
    opened?.event === "database.opened" ? opened.migrated : [],
  );
  assert.deepEqual(migrated.sort(), OF_0_1_0);
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
});
