import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Kysely, sql } from "kysely";
import { type EmptyDatabase, emptyDatabase, Opened } from "./empty-database.testing.ts";
import type { Tables } from "./engine.ts";
import { DROPPED } from "./retention.ts";

const INCREMENT = { command: "increment", key: "counter" };
const DEADLINE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Ids of the nth request, which has two records. */
const numbered = (nth: number) => ({ id: `a call id ${nth}`, requestId: `id ${nth}` });

async function withTables<T>(
  { engine }: EmptyDatabase,
  work: (tables: Kysely<Tables>) => Promise<T>,
) {
  await using tables = new Kysely<Tables>({ dialect: engine().dialect });
  return await work(tables);
}

/** Resolves when the records are so many, or their outcomes have so many bytes at most. */
async function pruned(database: EmptyDatabase, most: { records?: number; bytes?: number }) {
  const { records = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = most;
  await withTables(database, async (tables) => {
    for (const end = performance.now() + DEADLINE_MS; ; await delay(50)) {
      const found = await tables
        .selectFrom("records")
        .select([
          sql<number>`count(*)`.as("count"),
          sql<number>`coalesce(sum(octet_length(reply)), 0)`.as("sum"),
        ])
        .executeTakeFirstOrThrow();
      if (Number(found.count) <= records && Number(found.sum) <= bytes) return;
      assert.ok(performance.now() < end, `${found.count} records of ${found.sum} bytes remain`);
    }
  });
}

/** Makes the tables, and inserts `count` records of the given age with an outcome of `bytes`. */
async function filled(count: number, ageMs: number, bytes: number): Promise<EmptyDatabase> {
  const database = await emptyDatabase();
  await (await Opened.of(database))[Symbol.asyncDispose]();
  const record = { fingerprint: "", code: 200, reply: "x".repeat(bytes) } as const;
  const now = Date.now();
  const rows = Array.from({ length: count }, (_, nth) => {
    const id = nth % 2 === 0 ? `call ${nth}` : `broker ${nth}`;
    return { id, at: now - ageMs - Math.floor(nth / 2), ...record };
  });
  const perInsert = Math.min(1000, Math.ceil(1_000_000 / (bytes + 1)));
  await withTables(database, async (tables) => {
    for (let from = 0; from < rows.length; from += perInsert) {
      const values = rows.slice(from, from + perInsert);
      await tables.insertInto("records").values(values).execute();
    }
  });
  return database;
}

test("records of more than recordsMax requests: the oldest are deleted", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database, { recordsMax: 50 });
  for (let nth = 1; nth <= 60; nth += 1) await worker.ask(INCREMENT, numbered(nth));
  await delay(20); // The clock of a SQLite file has steps of 10 ms.
  for (let nth = 61; nth <= 120; nth += 1) await worker.ask(INCREMENT, numbered(nth));
  await pruned(database, { records: 120 });
  // At least the records of the last 50 requests exist; those of the first 60 requests do not.
  assert.equal((await worker.ask(INCREMENT, numbered(75))).value, 75);
  assert.equal((await worker.ask(INCREMENT, numbered(60))).value, 121);
});

test("worker starts: surplus records are deleted, and the start does not wait for it", async () => {
  const database = await filled(5000, 1000, 10);
  await using worker = await Opened.of(database, { recordsMax: 10 });
  assert.equal((await worker.ask(INCREMENT)).value, 1);
  await pruned(database, { records: 22 });
});

test("expired records of more than one step: all are deleted, the newer ones stay", async () => {
  const database = await filled(3001, 2 * HOUR_MS, 2);
  await using worker = await Opened.of(database);
  await worker.ask(INCREMENT, numbered(1));
  await pruned(database, { records: 2 });
  assert.equal((await worker.ask(INCREMENT, numbered(1))).value, 1);
});

test("expired records of 1 MB each: the start and changes do not wait for their deletion", async () => {
  const database = await filled(60, 2 * HOUR_MS, 1_000_000);
  await using worker = await Opened.of(database);
  const begunAt = performance.now();
  for (let nth = 1; nth <= 20; nth += 1) await worker.ask(INCREMENT, numbered(nth));
  const tookMs = performance.now() - begunAt;
  assert.ok(tookMs < 20_000, `20 changes took ${tookMs} ms`);
  await pruned(database, { records: 40 });
});

test("outcomes beyond their half of the bytes: the oldest are dropped, their effects happen once", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database, { recordsBytesMax: 1_000_000 });
  await worker.ask({ command: "put", key: "large", value: "x".repeat(100_000) });
  const get = { command: "get", key: "large" };
  const batch = { command: "batch", commands: [INCREMENT, get] };
  const ids = Array.from({ length: 12 }, (_, nth) => numbered(nth));
  for (const id of ids) {
    await worker.ask(batch, id);
    await delay(20);
  }
  await pruned(database, { bytes: 700_000 });
  const first = await worker.rejection(batch, ids[0]);
  assert.equal(first, `${DROPPED.code} ${DROPPED.reply}`);
  assert.equal((await worker.ask(batch, ids.at(-1))).results[0].value, 12);
  assert.equal((await worker.ask({ command: "get", key: "counter" })).value, 12);
  const small = await worker.ask(INCREMENT, "a small outcome");
  for (const id of ids) await worker.rejection(batch, id).catch(() => {});
  assert.deepEqual(await worker.ask(INCREMENT, "a small outcome"), small);
});

test("records beyond the other half of the bytes: the oldest are deleted", async () => {
  const database = await filled(5000, 1000, 100);
  await using worker = await Opened.of(database, { recordsBytesMax: 60_000 });
  await pruned(database, { records: 130 });
  assert.ok(worker.log.some(({ event }) => event === "records.short"));
});

test("bounds that a call may outlast: logged at the start", async () => {
  const database = await emptyDatabase();
  const reasons: (string | undefined)[] = [];
  for (const retention of [
    {},
    { recordsMs: 59_999 },
    { recordsMax: 6000 },
    { recordsBytesMax: 7_200_000 },
  ]) {
    await using worker = await Opened.of(database, retention);
    const short = worker.log.find((entry) => entry.event === "records.short");
    reasons.push(short?.event === "records.short" ? short.reason : undefined);
  }
  const calls = "calls of MDP_REQUEST_TTL_MS=60000";
  assert.deepEqual(reasons, [
    undefined,
    `MDP_DB_RECORDS_MS=59999 is less than ${calls}`,
    `MDP_DB_RECORDS_MAX=6000 covers ${calls} up to 100 changes per second`,
    `MDP_DB_RECORDS_BYTES_MAX=7200000 covers ${calls} up to 100 changes per second`,
  ]);
});

test("bound reached before calls end: logged once while it lasts", async () => {
  const database = await emptyDatabase();
  await using worker = await Opened.of(database, { recordsMax: 20 });
  for (let nth = 1; nth <= 100; nth += 1) await worker.ask(INCREMENT, numbered(nth));
  await delay(20);
  for (let nth = 101; nth <= 130; nth += 1) await worker.ask(INCREMENT, numbered(nth));
  await pruned(database, { records: 70 });
  const reached = worker.log.filter(
    (entry) =>
      entry.event === "records.short" && entry.reason.includes("is reached by the changes"),
  );
  assert.equal(reached.length, 1);
});
