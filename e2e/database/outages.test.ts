// A server that goes away and comes back, and a worker that stands still where it is in the way.

import assert from "node:assert/strict";
import pg from "pg";
import { ServiceFailed } from "../../clients/client.ts";
import type { Stack } from "../processes/stack.ts";
import { until } from "../until.ts";
import type { Postgres } from "./postgres.ts";
import { ask, DB, dbWorkers, onPostgres } from "./trial.ts";

const INCREMENT = { command: "increment", key: "counter" };

/** What a client is told, at the latest after the silence of a server that is frozen and the wait besides. */
const TOLD_MS_MAX = 15_000;

async function refused(stack: Stack, command: object): Promise<string> {
  const error = await ask(stack.client, command, TOLD_MS_MAX).then(
    (answer) => assert.fail(`answered ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ServiceFailed, String(error));
  return `${error.code} ${error.message}`;
}

const GONE = /^503 the database cannot be reached, nothing was changed: /;

const OUTAGES: [string, (server: Postgres) => Promise<void>, (server: Postgres) => unknown][] = [
  ["was killed", (server) => server.kill(), (server) => server.startAgain()],
  ["is frozen", (server) => server.freeze(), (server) => server.thaw()],
];

for (const [how, begin, end] of OUTAGES) {
  onPostgres(
    `a server that ${how}: definite errors, and all is well when it is back`,
    async (stack, server) => {
      const [worker] = await dbWorkers(stack, 1);
      await ask(stack.client, INCREMENT);
      await begin(server);
      const commands = [INCREMENT, { command: "get", key: "counter" }, { command: "list" }];
      const told = await Promise.all(commands.map((command) => refused(stack, command)));
      for (const sentence of told) assert.match(sentence, GONE);
      await worker?.logged("database.unreachable");
      await end(server);
      assert.equal((await ask(stack.client, { command: "get", key: "counter" })).value, 1);
      assert.equal((await ask(stack.client, INCREMENT)).value, 2);
      await worker?.logged("database.reached");
      assert.equal(stack.registered, 1, "the worker did not stay");
    },
  );
}

onPostgres(
  "a server that is started again at once is not noticed by clients",
  async (stack, server) => {
    await dbWorkers(stack, 2);
    const done = new AbortController();
    let answered = 0;
    const askers = Array.from({ length: 8 }, async () => {
      for (; !done.signal.aborted; answered += 1) await ask(stack.client, INCREMENT);
    });
    for (const end of [() => server.stop(), () => server.kill(), () => server.stop()]) {
      const before = answered;
      await until("a hundred answers", () => answered >= before + 100);
      await end();
      await server.startAgain();
    }
    done.abort();
    await Promise.all(askers);
    assert.equal((await ask(stack.client, INCREMENT)).value, answered + 1);
  },
);

onPostgres(
  "a server that only reads: definite errors, and documents can be read",
  async (stack, server) => {
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
  },
);

onPostgres("a worker that starts before its server waits for it", async (stack, server) => {
  await server.kill();
  const worker = stack.program(DB);
  await worker.logged("database.unreachable");
  const reply = ask(stack.client, INCREMENT);
  await server.startAgain();
  assert.equal((await reply).value, 1);
  await worker.logged("database.opened");
});

onPostgres(
  "a worker frozen in a transaction is in nobody's way for long",
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
    await locker.query("commit"); // Now the frozen one has the lock, in a transaction that it does not end.
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
  await until("somebody to wait", async () => (await observer.query(WAITING)).rowCount !== 0);
}
