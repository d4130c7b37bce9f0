import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { type EmptyDatabase, Opened } from "./empty-database.testing.ts";
import { sqlite } from "./sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "sqlite-clock-"));
after(() => rmSync(folder, { recursive: true }));

const HOUR_MS = 3_600_000;
const INCREMENT = { command: "increment", key: "counter" };
const BOOT = "the first boot";

/** A worker on this file; `uptimeMs` is the time since its machine booted. */
const openedAt = (file: string, boot: string | null, uptimeMs: number) => {
  const engine = () => sqlite(file, { boot, uptimeMs: () => uptimeMs });
  const database: EmptyDatabase = { settings: {}, engine };
  return Opened.of(database, { recordsMs: HOUR_MS });
};

/** The value of the counter after one increment with the id "a" by a worker on this machine. */
async function increment(file: string, boot: string | null, uptimeMs: number): Promise<number> {
  await using worker = await openedAt(file, boot, uptimeMs);
  return (await worker.ask(INCREMENT, "a")).value;
}

let files = 0;
const newFile = () => join(folder, `${++files}.sqlite`);

test("record of a file: its age is the time since the boot", async () => {
  const file = newFile();
  assert.equal(await increment(file, BOOT, 1000), 1);
  assert.equal(await increment(file, BOOT, HOUR_MS), 1);
  assert.equal(await increment(file, BOOT, HOUR_MS + 1001), 2);
});

test("machine booted again with a clock that is behind: the time goes on", async () => {
  const file = newFile();
  assert.equal(await increment(file, BOOT, 0), 1);
  const sql = new DatabaseSync(file);
  // As if the clock of the machine had been 10 hours ahead.
  sql.exec(`update clock set booted = booted + ${10 * HOUR_MS}`);
  sql.exec(`update records set at = at + ${10 * HOUR_MS}`);
  sql.close();
  assert.equal(await increment(file, "the next boot", 60_000), 1);
  assert.equal(await increment(file, "the next boot", HOUR_MS + 1), 2);
});

test("machine booted again: the time between the boots counts", async () => {
  const file = newFile();
  assert.equal(await increment(file, BOOT, 0), 1);
  const sql = new DatabaseSync(file);
  sql.exec(`update clock set booted = booted - ${2 * HOUR_MS}`);
  sql.exec(`update records set at = at - ${2 * HOUR_MS}`);
  sql.close();
  assert.equal(await increment(file, "the next boot", 0), 2);
});

test("system without an id of the boot: the clock of the machine counts", async () => {
  const file = newFile();
  assert.equal(await increment(file, null, 5 * HOUR_MS), 1);
  assert.equal(await increment(file, null, 0), 1);
});
