// Workers that are killed in the middle of an effect on a database.

import assert from "node:assert/strict";
import type { Container } from "./container.ts";
import { RUN } from "./engine.ts";
import { counted, scenario } from "./scenario.ts";

/** One file for all db workers, as in compose.yaml. */
const DOCUMENTS = {
  mounts: [{ source: `${RUN}-documents`, target: "/data" }],
  settings: { MDP_DB_FILE: "/data/documents.sqlite" },
};

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
