// What becomes of documents when db workers are killed, and when their disk is full or read-only.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Client } from "../../clients/client.ts";
import { counterTest } from "../counter-test.ts";
import { Random } from "../simulated/random.ts";
import type { Container, ContainerOptions } from "./container.ts";
import { DOCUMENTS, server } from "./databases.ts";
import type { Nemesis } from "./nemesis.ts";
import { counted, scenario } from "./scenario.ts";
import type { Stack } from "./stack.ts";

scenario(
  "a worker killed in the middle of db writes: another does them, and each effect is there once",
  async ({ stack, nemesis }) => {
    const victim = await stack.worker("workers/db.ts", DOCUMENTS);
    await stack.worker("workers/db.ts", DOCUMENTS);
    const bystander = await stack.worker("workers/echo.ts", DOCUMENTS);
    const locked = lock(bystander);
    await bystander.run("sh", "-c", "until test -e /data/locked; do sleep 0.02; done");
    const asker = stack.asker();
    const writes = Array.from({ length: 8 }, () => asker.increment());
    await counted(stack, { inFlight: 8 }); // Four in the hands of each, who wait for the lock.
    await nemesis.kill(victim);
    const removed = await stack.broker.logged("worker.removed");
    assert.deepEqual([removed.reason, removed.requeued], ["gone", 4]);
    await bystander.run("touch", "/data/release");
    await locked;
    const versions = (await Promise.all(writes)).map(({ version }) => version);
    assert.deepEqual(versions, Array(8).fill(1));
    const [list] = await asker.client.request("db", '{"command":"list"}');
    const { documents } = JSON.parse(String(list));
    assert.deepEqual(
      documents.map(({ value, version }: { value: number; version: number }) => [value, version]),
      Array(8).fill([1, 1]),
    );
    await counted(stack, { received: 9, answered: 9, requeued: 4 });
  },
);

scenario(
  "SQLite, db workers killed at random: 1,000 increments come to 1,000",
  ({ stack, nemesis }) => increments(stack, nemesis, DOCUMENTS),
  { MDP_DELIVERIES_MAX: "20" },
);

scenario(
  "PostgreSQL, db workers killed at random: 1,000 increments come to 1,000",
  async ({ stack, nemesis }) => increments(stack, nemesis, (await server(stack)).worker),
  { MDP_DELIVERIES_MAX: "20" },
);

scenario(
  "SQLite on a full disk: db says so, and writes again when there is room",
  async ({ stack, nemesis }) => {
    const worker = await stack.worker("workers/db.ts", {
      settings: { MDP_DB_FILE: "/data/documents.sqlite" },
      tmpfs: { "/data": "size=16m,uid=1000" },
    });
    await fullDisk(stack, nemesis, worker, 1000);
  },
);

scenario(
  "PostgreSQL on a full disk: db says so, and writes again when there is room",
  async ({ stack, nemesis }) => {
    const { postgres, worker } = await server(stack, { tmpfs: { "/data": "size=128m" } });
    await stack.worker("workers/db.ts", worker);
    await fullDisk(stack, nemesis, postgres, 2000);
  },
);

scenario("SQLite on a read-only volume: db says so, and ends", async ({ stack }) => {
  await stack.worker("workers/db.ts", DOCUMENTS); // Makes the file.
  const mounts = DOCUMENTS.mounts.map((mount) => ({ ...mount, mode: "ro" as const }));
  const reader = await stack.container("workers/db.ts", { ...DOCUMENTS, name: "reader", mounts });
  assert.equal(await reader.ended(), 1);
  const said = "db: cannot open /data/documents.sqlite: EROFS: read-only file system";
  assert.ok(reader.output.startsWith(said), reader.output);
});

const SEED = Number(process.env.SEED ?? 1);

/** Four workers make a thousand increments, and others come in the place of those who are killed. */
async function increments(stack: Stack, nemesis: Nemesis, options: Partial<ContainerOptions>) {
  const random = new Random(SEED);
  const workers: Container[] = await stack.workersOf("workers/db.ts", 4, options);
  const kill = async () => {
    const [victim] = workers.splice(random.whole(0, workers.length - 1), 1);
    if (victim) await nemesis.kill(victim);
    workers.push(await stack.worker("workers/db.ts", options));
  };
  await counterTest(stack.client(), { every: 180, kill, random });
  const { requeued } = await stack.counts();
  assert.ok(requeued > 0, "nobody who was killed had anything in hand");
}

/** Documents are put until there is no room: what was answered is there, and goes on when there is. */
async function fullDisk(stack: Stack, nemesis: Nemesis, disk: Container, leftKiB: number) {
  const client = stack.client();
  const put = (nth: number) => {
    const value = randomBytes(100_000).toString("base64");
    return ask(client, { command: "put", key: `large:${nth}`, value });
  };
  await put(0);
  await nemesis.fillDisk(disk, "/data/filler", leftKiB);
  let kept = 1;
  const refusal = await (async () => {
    for (; kept < 100; kept += 1) await put(kept);
  })().catch((error) => `${error.code} ${error.message}`);
  assert.equal(refusal, "503 the disk of the database is full, nothing was changed");
  const found = await Promise.all(
    Array.from({ length: kept }, (_, nth) => ask(client, { command: "get", key: `large:${nth}` })),
  );
  assert.deepEqual(
    found.map(({ version }) => version),
    Array(kept).fill(1),
  );
  await nemesis.makeRoom(disk, "/data/filler");
  assert.equal((await put(kept)).version, 1);
}

async function ask(client: Client, command: object) {
  const [reply] = await client.request("db", JSON.stringify(command), { timeoutMs: 60_000 });
  return JSON.parse(String(reply));
}

/** Holds the lock that writers need until there is a file /data/release. */
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
