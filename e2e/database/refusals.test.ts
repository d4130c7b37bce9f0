// A wrong setting is no outage: the worker names the setting to change, and ends if it has just started.
// PgBouncer works in session and in transaction mode.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import pg from "pg";
import { Opened, onServer } from "../../workers/db/empty-database.testing.ts";
import { Program } from "../processes/program.ts";
import { until } from "../until.ts";
import { engines, pgBouncer } from "./engines.ts";
import { PgBouncer } from "./pgbouncer.ts";
import { Postgres } from "./postgres.ts";
import { DB } from "./trial.ts";

const needed = { skip: engines.includes("PostgreSQL") ? false : "not on PostgreSQL" };
const pooled = { skip: needed.skip || (pgBouncer === undefined ? "no PgBouncer here" : false) };
const INCREMENT = { command: "increment", key: "counter" };

async function query(url: string, ...statements: string[]) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** The line on standard error of a worker that cannot start. */
async function refusal(DATABASE_URL: string): Promise<string> {
  const worker = new Program(DB, [], { DATABASE_URL, MDP_BROKER: "tcp://127.0.0.1:9" });
  const { code } = await worker.ended;
  assert.equal(code, 1);
  assert.equal(worker.errors.trim().split("\n").length, 1, worker.errors);
  assert.deepEqual(worker.all("database.unreachable"), []);
  return worker.errors;
}

function changed(url: string, change: (url: URL) => void): string {
  const other = new URL(url);
  change(other);
  return other.href;
}

test("worker with a wrong setting: ends with one line that names the setting", needed, async () => {
  await using server = await Postgres.start();
  await query(server.url, "create role poor login password 'poor'");
  const latin = await server.database("template template0 encoding 'LATIN1' locale 'C'");
  const poor = changed(server.url, (url) => {
    url.username = url.password = "poor";
  });
  const wrong: [string, RegExp][] = [
    [changed(server.url, (url) => (url.password = "x")), /correct the user and the password/],
    [changed(server.url, (url) => (url.password = "")), /correct the user and the password/],
    [changed(server.url, (url) => (url.pathname = "/none")), /create the database/],
    [`${server.url}?sslmode=verify-full`, /does not support SSL.*set sslmode/],
    [`${server.url}?sslmode=verify-full&sslrootcert=/none.pem`, /none\.pem.*correct DATABASE_URL/],
    [poor, /permission denied.*grant the role create/],
    [latin, /encoding of the database is LATIN1.*encoding UTF8/],
  ];
  for (const [url, sentence] of wrong) assert.match(await refusal(url), sentence);
});

test(
  "server without a free connection: requests wait for one, the log has the setting",
  needed,
  async () => {
    await using server = await Postgres.start();
    await query(
      server.url,
      "alter system set max_connections = 6",
      "alter system set superuser_reserved_connections = 0",
      "create role worker login password 'worker' createdb",
      "create database shared owner worker",
    );
    await server.stop();
    await server.startAgain();
    const url = changed(server.url, (url) => {
      url.username = url.password = "worker";
      url.pathname = "/shared";
    });
    await using one = await Opened.of(onServer(url));
    await using other = await Opened.of(onServer(url));
    const signal = AbortSignal.timeout(60_000);
    const asked = Array.from({ length: 40 }, (_, nth) =>
      (nth % 2 === 0 ? one : other).ask(INCREMENT, randomUUID(), signal),
    );
    const values = (await Promise.all(asked)).map(({ value }) => value);
    assert.equal(Math.max(...values), 40);
    const lines = [...one.log, ...other.log];
    assert.deepEqual(
      lines.filter(({ event }) => event === "database.unreachable"),
      [],
    );
  },
);

test(
  "role that loses its rights: 503 with the setting, one log line, and again after the grant",
  needed,
  async () => {
    await using server = await Postgres.start();
    await query(
      server.url,
      "create role worker login password 'worker'",
      "create database shared owner worker",
    );
    const url = changed(server.url, (url) => {
      url.username = url.password = "worker";
      url.pathname = "/shared";
    });
    const admin = changed(server.url, (url) => {
      url.pathname = "/shared";
    });
    await using worker = await Opened.of(onServer(url));
    await query(
      admin,
      "alter table documents owner to majordomo",
      "revoke all on documents from worker",
    );
    for (let nth = 0; nth < 2; nth += 1) {
      const sentence = await worker.rejection(INCREMENT);
      assert.match(
        sentence,
        /^503 the database refuses the worker, nothing was changed: permission denied/,
      );
    }
    await query(admin, "grant all on documents to worker");
    assert.equal((await worker.ask(INCREMENT)).value, 1);
    assert.deepEqual(
      worker.log.map(({ event }) => event),
      ["database.opened", "database.refused", "database.reached"],
    );
  },
);

for (const pool_mode of ["session", "transaction"]) {
  test(
    `PgBouncer in ${pool_mode} mode: two workers migrate at once, each effect happens once`,
    pooled,
    async () => {
      await using server = await Postgres.start();
      await using bouncer = await PgBouncer.to(server, { pool_mode, default_pool_size: "10" });
      const database = onServer(bouncer.url);
      const [first, second] = await Promise.all([Opened.of(database), Opened.of(database)]);
      const workers = [first, second];
      const ids = Array.from({ length: 20 }, () => randomUUID());
      const batch = { command: "batch", commands: [INCREMENT, { command: "get", key: "counter" }] };
      const asked = ids.flatMap((id) =>
        workers.map((worker) => worker.ask(batch, id, AbortSignal.timeout(120_000))),
      );
      await Promise.all(asked);
      assert.equal((await first.ask({ command: "get", key: "counter" })).value, 20);
      await frozenTransactionEnds(first, server);
      await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
      // A lock that a connection of PgBouncer kept would stop this start.
      await using next = await Opened.of(database);
      assert.equal((await next.ask(INCREMENT)).value, 21);
    },
  );
}

/** The server has the time limits of the worker, which PgBouncer does not pass on. */
async function frozenTransactionEnds(worker: Opened, server: Postgres) {
  const locker = new pg.Client({ connectionString: server.url });
  await locker.connect();
  await locker.query("begin");
  await locker.query("select * from documents for update");
  const sentence = worker.rejection(INCREMENT, "a locked document", AbortSignal.timeout(4000));
  assert.match(await sentence, /^503 the database is busy/);
  await locker.end();
}

test(
  "PgBouncer in statement mode: the worker ends with the setting to change",
  pooled,
  async () => {
    await using server = await Postgres.start();
    await using bouncer = await PgBouncer.to(server, { pool_mode: "statement" });
    assert.match(await refusal(bouncer.url), /set pool_mode = transaction or session/);
  },
);

test("PgBouncer without a server: an outage", pooled, async () => {
  await using server = await Postgres.start();
  await using bouncer = await PgBouncer.to(server, {
    pool_mode: "transaction",
    server_login_retry: "1",
  });
  await server.stop();
  const worker = new Program(DB, [], {
    DATABASE_URL: bouncer.url,
    MDP_BROKER: "tcp://127.0.0.1:9",
  });
  await worker.logged("database.unreachable");
  await server.startAgain();
  await worker.logged("database.opened");
  await until("the worker", () => worker.running);
  await worker.destroy();
});
