// The PostgreSQL server of the tests: it dies, freezes and returns, and leaves nothing behind.

import assert from "node:assert/strict";
import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Client } from "pg";
import { Program } from "../processes/program.ts";
import { slowdown } from "../slowdown.ts";
import { until } from "../until.ts";
import { engines } from "./engines.ts";
import { isGone, Postgres } from "./postgres.ts";

const needed = { skip: engines.includes("PostgreSQL") ? false : "not on PostgreSQL" };

async function connect(connectionString: string) {
  const client = new Client({ connectionString, connectionTimeoutMillis: 10_000 });
  client.on("error", () => {}); // A test may kill the server.
  await client.connect();
  return client;
}

/** Queries on a new connection, and resolves to the first column of the result. */
async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = await connect(url);
  const { rows } = await client.query({ text: sql, rowMode: "array" }).finally(() => client.end());
  return rows.map(([first]) => first);
}

async function assertNothingIsLeft(folder: string, pids: number[]) {
  assert.ok(pids.length > 1, `there were only ${pids.length} processes`);
  const isThere = () => existsSync(folder) || !pids.every(isGone);
  await until(`the end of ${folder} and of the processes ${pids}`, () => !isThere());
}

test("new server: answers at its URL, and flushes every commit", needed, async () => {
  await using server = await Postgres.start();
  const userAndDatabase = await ask(
    server.url,
    "select concat(current_user, ' ', current_database())",
  );
  assert.deepEqual(userAndDatabase, ["majordomo majordomo"]);
  const settings = ["fsync", "synchronous_commit", "full_page_writes"];
  settings.push("server_encoding", "lc_collate");
  const values = await Promise.all(settings.map((name) => ask(server.url, `show ${name}`)));
  assert.deepEqual(values.flat(), ["on", "on", "on", "UTF8", "C.UTF-8"]);
});

test("two databases of one server: separate tables", needed, async () => {
  await using server = await Postgres.start();
  const urls = [server.url, await server.database(), await server.database()];
  for (const url of urls) {
    await ask(url, "create table one (n int)");
    await ask(url, "insert into one values (1)");
  }
  for (const url of urls) assert.deepEqual(await ask(url, "select n from one"), [1]);
});

test("server killed and restarted: has all commits and no more", needed, async () => {
  await using server = await Postgres.start();
  await ask(server.url, "create table kept (n int)");
  await ask(server.url, "insert into kept values (1)");
  const client = await connect(server.url);
  await client.query("begin");
  await client.query("insert into kept values (2)");
  const asleep = assert.rejects(client.query("select pg_sleep(60)"));
  const { pids } = server;
  const began = performance.now();
  await server.kill();
  const took = performance.now() - began;
  assert.ok(took < 2000 * (await slowdown()), `it took ${took} ms`);
  assert.ok(pids.every(isGone));
  assert.deepEqual(server.pids, []);
  await asleep;
  await assert.rejects(connect(server.url), { code: "ECONNREFUSED" });
  await server.startAgain();
  assert.deepEqual(await ask(server.url, "select n from kept"), [1]);
});

test("server stopped: clients are disconnected at once", needed, async () => {
  await using server = await Postgres.start();
  await ask(server.url, "create table kept (n int)");
  const client = await connect(server.url);
  const asleep = assert.rejects(client.query("select pg_sleep(60)"), { code: "57P01" });
  const began = performance.now();
  await server.stop();
  const took = performance.now() - began;
  assert.ok(took < 5000 * (await slowdown()), `it took ${took} ms`);
  await asleep;
  await server.startAgain();
  assert.deepEqual(await ask(server.url, "select n from kept"), []);
});

test("server frozen: queries wait, and are answered after the thaw", needed, async () => {
  await using server = await Postgres.start();
  const client = await connect(server.url);
  await server.freeze();
  const answers = [client.query("select 1"), ask(server.url, "select 1")];
  assert.equal(await Promise.race([...answers, setTimeout(300, "none")]), "none");
  server.thaw();
  await Promise.all(answers);
  await server.freeze();
  await server.stop();
  await client.end();
});

test("server that cannot start: the error has its log", needed, async () => {
  await using server = await Postgres.start();
  await server.stop();
  appendFileSync(join(server.folder, "data", "postgresql.conf"), "port = nowhere\n");
  await assert.rejects(server.startAgain(), /^Error: PostgreSQL ended\n.*"port".*"nowhere"/s);
});

for (const end of ["kill", "freeze", "stop"] as const) {
  test(
    `server after ${end}(): disposal ends its processes and removes its folder`,
    needed,
    async () => {
      const server = await Postgres.start();
      const { folder, pids } = server;
      await server[end]();
      await server[Symbol.asyncDispose]();
      await assertNothingIsLeft(folder, pids);
    },
  );
}

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  test(
    `${signal} to the process of a test: its server ends and its folder is removed`,
    needed,
    async () => {
      const starter = new Program("e2e/database/starter.ts");
      const { folder, pids } = await starter.logged("starter.froze");
      starter.signal(signal);
      await starter.ended;
      await assertNothingIsLeft(folder as string, pids as number[]);
    },
  );
}
