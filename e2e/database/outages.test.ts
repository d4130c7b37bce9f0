// Outages of the server, and a worker that is frozen while it holds a lock.

import assert from "node:assert/strict";
import pg from "pg";
import { ServiceFailed } from "../../clients/client.ts";
import type { Stack } from "../processes/stack.ts";
import { slowdown } from "../slowdown.ts";
import { until } from "../until.ts";
import type { Postgres } from "./postgres.ts";
import { ask, DB, dbWorkers, onPostgres } from "./trial.ts";

const INCREMENT = { command: "increment", key: "counter" };

/** The longest wait for an error in an outage, in ms: the timeout of a frozen server and the retries. */
const ERROR_MS_MAX = 15_000;

/** A worker retries for 3 s while its server is down (workers/db/documents.ts). */
const RETRIES_MS = 3000;

async function refused(stack: Stack, command: object): Promise<string> {
  const timeoutMs = ERROR_MS_MAX * (await slowdown());
  const error = await ask(stack.client, command, { timeoutMs }).then(
    (answer) => assert.fail(`answered ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ServiceFailed, String(error));
  return `${error.status} ${error.message}`;
}

const UNREACHABLE = /^503 the database cannot be reached, nothing was changed: /;

const OUTAGES: [string, (server: Postgres) => Promise<void>, (server: Postgres) => unknown][] = [
  ["killed", (server) => server.kill(), (server) => server.startAgain()],
  ["frozen", (server) => server.freeze(), (server) => server.thaw()],
];

for (const [how, begin, end] of OUTAGES) {
  onPostgres(
    `server ${how}: error 503, and the same worker answers when the server is back`,
    async (stack, server) => {
      const [worker] = await dbWorkers(stack, 1);
      await ask(stack.client, INCREMENT);
      await begin(server);
      const commands = [INCREMENT, { command: "get", key: "counter" }, { command: "list" }];
      const sentences = await Promise.all(commands.map((command) => refused(stack, command)));
      for (const sentence of sentences) assert.match(sentence, UNREACHABLE);
      await worker?.logged("database.unreachable");
      await end(server);
      assert.equal((await ask(stack.client, { command: "get", key: "counter" })).value, 1);
      assert.equal((await ask(stack.client, INCREMENT)).value, 2);
      await worker?.logged("database.reached");
      assert.equal(stack.registered, 1, "the worker registered again");
    },
  );
}

onPostgres(
  "server restarted at once: every request is answered, no effect twice",
  async (stack, server) => {
    await dbWorkers(stack, 2);
    const done = new AbortController();
    const errors: string[] = [];
    let answered = 0;
    let longestMs = 0;
    const askers = Array.from({ length: 8 }, async () => {
      while (!done.signal.aborted) {
        try {
          await ask(stack.client, INCREMENT);
          answered += 1;
        } catch (error) {
          if (!(error instanceof ServiceFailed)) throw error;
          errors.push(`${error.status} ${error.message}`);
        }
      }
    });
    for (const end of [() => server.stop(), () => server.kill(), () => server.stop()]) {
      const before = answered;
      await until("a hundred answers", () => answered >= before + 100);
      const from = performance.now();
      await end();
      await server.startAgain();
      longestMs = Math.max(longestMs, performance.now() - from);
    }
    done.abort();
    await Promise.all(askers);
    // On a busy machine an outage may outlast the retries of the worker.
    if (longestMs < RETRIES_MS / 2) assert.deepEqual(errors, []);
    for (const error of errors) assert.match(error, UNREACHABLE);
    assert.equal((await ask(stack.client, INCREMENT)).value, answered + 1);
  },
);

onPostgres("server read-only: writes fail with 503, reads are answered", async (stack, server) => {
  await dbWorkers(stack, 1);
  await ask(stack.client, INCREMENT);
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query("alter system set default_transaction_read_only = on");
  await admin.end();
  await server.stop();
  await server.startAgain();
  const sentence = "503 the database is read-only, nothing was changed";
  assert.equal(await refused(stack, INCREMENT), sentence);
  assert.equal((await ask(stack.client, { command: "get", key: "counter" })).value, 1);
});

onPostgres("worker started before its server: waits for it", async (stack, server) => {
  await server.kill();
  const worker = stack.program(DB);
  await worker.logged("database.unreachable");
  const reply = ask(stack.client, INCREMENT);
  await server.startAgain();
  assert.equal((await reply).value, 1);
  await worker.logged("database.opened");
});

onPostgres(
  "worker frozen in a transaction: the server ends it, another worker continues",
  async (stack, server) => {
    const [victim] = await dbWorkers(stack, 1);
    await ask(stack.client, INCREMENT);
    const locker = new pg.Client({ connectionString: server.url });
    await locker.connect();
    await locker.query("begin");
    await locker.query("select * from documents for update");
    const reply = ask(stack.client, INCREMENT);
    await waitsForLock(locker);
    victim?.signal("SIGSTOP");
    await locker.query("commit"); // Now the frozen worker has the lock.
    await locker.end();
    await stack.broker.logged("worker.removed", ({ reason }) => reason === "expired");
    await dbWorkers(stack, 1);
    assert.equal((await reply).value, 2);
    victim?.signal("SIGCONT");
    await stack.broker.logged("worker.registered", () => stack.registered === 3);
    const values = await Promise.all(Array.from({ length: 8 }, () => ask(stack.client, INCREMENT)));
    assert.equal(Math.max(...values.map(({ value }) => value)), 10);
  },
);

async function waitsForLock(observer: pg.Client) {
  const WAITING = "select 1 from pg_stat_activity where wait_event_type = 'Lock'";
  await until(
    "a connection that waits for a lock",
    async () => (await observer.query(WAITING)).rowCount !== 0,
  );
}
