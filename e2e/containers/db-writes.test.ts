// Documents survive killed db workers, a full disk and a read-only disk.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Client } from "../../clients/client.ts";
import { counterTest } from "../counter-test.ts";
import { Random } from "../simulated/random.ts";
import type { Container, ContainerOptions } from "./container.ts";
import { SHARED_SQLITE, startPostgres } from "./databases.ts";
import type { Nemesis } from "./nemesis.ts";
import { scenario, untilCounts } from "./scenario.ts";
import type { Stack } from "./stack.ts";

scenario(
  "worker killed in the middle of db writes: another repeats them, each effect happens once",
  async ({ stack, nemesis }) => {
    const victim = await stack.startWorker("workers/db.ts", SHARED_SQLITE);
    await stack.startWorker("workers/db.ts", SHARED_SQLITE);
    const bystander = await stack.startWorker("workers/echo.ts", SHARED_SQLITE);
    const locked = lock(bystander);
    await bystander.run("sh", "-c", "until test -e /data/locked; do sleep 0.02; done");
    const client = stack.recordingClient();
    const writes = Array.from({ length: 8 }, () => client.increment());
    await untilCounts(stack, { inFlight: 8 }); // Each worker has four, and waits for the lock.
    await nemesis.kill(victim);
    const removed = await stack.broker.logged("worker.removed");
    assert.deepEqual([removed.reason, removed.requeued], ["gone", 4]);
    await bystander.run("touch", "/data/release");
    await locked;
    const versions = (await Promise.all(writes)).map(({ version }) => version);
    assert.deepEqual(versions, Array(8).fill(1));
    const [list] = await client.client.request("db", '{"command":"list"}');
    const { documents } = JSON.parse(String(list));
    assert.deepEqual(
      documents.map(({ value, version }: { value: number; version: number }) => [value, version]),
      Array(8).fill([1, 1]),
    );
    await untilCounts(stack, { received: 9, answered: 9, requeued: 4 });
  },
);

scenario(
  "SQLite, db workers killed at random: 1,000 increments give 1,000",
  ({ stack, nemesis }) => increments(stack, nemesis, SHARED_SQLITE),
  { MDP_DELIVERIES_MAX: "20" },
);

scenario(
  "PostgreSQL, db workers killed at random: 1,000 increments give 1,000",
  async ({ stack, nemesis }) => increments(stack, nemesis, (await startPostgres(stack)).worker),
  { MDP_DELIVERIES_MAX: "20" },
);

scenario(
  "SQLite, disk full: writes fail with 503 and succeed when there is room",
  async ({ stack, nemesis }) => {
    const worker = await stack.startWorker("workers/db.ts", {
      settings: { MDP_DB_FILE: "/data/documents.sqlite" },
      tmpfs: { "/data": "size=16m,uid=1000" },
    });
    await fullDisk(stack, nemesis, worker, 1000);
  },
);

scenario(
  "PostgreSQL, disk full: writes fail with 503 and succeed when there is room",
  async ({ stack, nemesis }) => {
    const { postgres, worker } = await startPostgres(stack, { tmpfs: { "/data": "size=128m" } });
    await stack.startWorker("workers/db.ts", worker);
    await fullDisk(stack, nemesis, postgres, 2000);
  },
);

scenario("SQLite, read-only volume: db reports EROFS and exits with 1", async ({ stack }) => {
  await stack.startWorker("workers/db.ts", SHARED_SQLITE); // Creates the file.
  const mounts = SHARED_SQLITE.mounts.map((mount) => ({ ...mount, mode: "ro" as const }));
  const reader = await stack.startContainer("workers/db.ts", {
    ...SHARED_SQLITE,
    name: "reader",
    mounts,
  });
  assert.equal(await reader.ended(), 1);
  const message = "db: cannot open /data/documents.sqlite: EROFS: read-only file system";
  assert.ok(reader.output.startsWith(message), reader.output);
});

const SEED = Number(process.env.SEED ?? 1);

/** The counter test with four workers; a new worker replaces each killed one. */
async function increments(stack: Stack, nemesis: Nemesis, options: Partial<ContainerOptions>) {
  const random = new Random(SEED);
  const workers: Container[] = await stack.startWorkers("workers/db.ts", 4, options);
  const kill = async () => {
    const [victim] = workers.splice(random.whole(0, workers.length - 1), 1);
    if (victim) await nemesis.kill(victim);
    workers.push(await stack.startWorker("workers/db.ts", options));
  };
  await counterTest(stack.client(), { every: 180, kill, random });
  const { requeued } = await stack.counts();
  assert.ok(requeued > 0, "no killed worker had a request in flight");
}

/** Writes until the disk is full. Every confirmed document must be there; writes go on afterwards. */
async function fullDisk(stack: Stack, nemesis: Nemesis, disk: Container, leftKiB: number) {
  const client = stack.client();
  const put = (index: number) => {
    const value = randomBytes(100_000).toString("base64");
    return request(client, { command: "put", key: `large:${index}`, value });
  };
  await put(0);
  await nemesis.fillDisk(disk, "/data/filler", leftKiB);
  let written = 1;
  const error = await (async () => {
    for (; written < 100; written += 1) await put(written);
  })().catch((error) => `${error.status} ${error.message}`);
  assert.equal(error, "503 the disk of the database is full, nothing was changed");
  const found = await Promise.all(
    Array.from({ length: written }, (_, index) =>
      request(client, { command: "get", key: `large:${index}` }),
    ),
  );
  assert.deepEqual(
    found.map(({ version }) => version),
    Array(written).fill(1),
  );
  await nemesis.makeRoom(disk, "/data/filler");
  assert.equal((await put(written)).version, 1);
}

async function request(client: Client, command: object) {
  const [reply] = await client.request("db", JSON.stringify(command), { timeoutMs: 60_000 });
  return JSON.parse(String(reply));
}

/** Holds SQLite's write lock until the file /data/release exists. */
function lock(container: Container): Promise<string> {
  const script = `
    const { DatabaseSync } = require("node:sqlite");
    const { existsSync, writeFileSync } = require("node:fs");
    const database = new DatabaseSync("/data/documents.sqlite");
    database.exec("BEGIN IMMEDIATE");
    writeFileSync("/data/locked", "");
    const timer = setInterval(() => {
      if (!existsSync("/data/release")) return;
      database.exec("ROLLBACK");
      clearInterval(timer);
    }, 20);`;
  return container.run("node", "--eval", script);
}
