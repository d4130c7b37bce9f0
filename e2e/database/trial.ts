// A test on each engine: a broker, and an empty database for the db workers that come to it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Client } from "../../clients/client.ts";
import {
  type EmptyDatabase as Database,
  inFile,
  onServer,
} from "../../workers/db/empty-database.testing.ts";
import type { Program } from "../processes/program.ts";
import { Stack } from "../processes/stack.ts";
import { type Engine, engines } from "./engines.ts";
import { Postgres } from "./postgres.ts";

export const DB = "workers/db.ts";

/** A short lease, and nothing given up for the bad luck of its workers. */
const SETTINGS = {
  MDP_HEARTBEAT_INTERVAL_MS: "500",
  MDP_HEARTBEAT_LIVENESS: "4",
  MDP_DELIVERIES_MAX: "100",
};

const PATIENCE_MS = 120_000;

export function onEachEngine(
  title: string,
  play: (stack: Stack, database: Database) => Promise<void>,
) {
  for (const engine of engines) {
    test(`${engine}: ${title}`, { timeout: PATIENCE_MS }, () =>
      withDatabase(engine, async (database) => {
        // A client that asks again for as long as a test takes.
        const options = { silenceMs: 1000, tries: 100 };
        await using stack = await Stack.start({ ...SETTINGS, ...database.settings }, options);
        await play(stack, database);
      }),
    );
  }
}

/** A test of what only a server can do. */
export function onPostgres(title: string, play: (stack: Stack, server: Postgres) => Promise<void>) {
  if (!engines.includes("PostgreSQL")) return;
  test(`PostgreSQL: ${title}`, { timeout: PATIENCE_MS }, async () => {
    await using server = await Postgres.start();
    const settings = { ...SETTINGS, DATABASE_URL: server.url };
    await using stack = await Stack.start(settings);
    await play(stack, server);
  });
}

/** Of all tests in a file that leave it alone. */
let server: Promise<Postgres> | undefined;
after(async () => (await server)?.[Symbol.asyncDispose]());

async function withDatabase(engine: Engine, work: (database: Database) => Promise<void>) {
  if (engine === "PostgreSQL") {
    server ??= Postgres.start();
    await work(onServer(await (await server).database()));
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "majordomo-database-"));
  const database = inFile(join(folder, "documents.sqlite"));
  await work(database).finally(() => rmSync(folder, { recursive: true }));
}

/** So many db workers, started at once. */
export async function dbWorkers(stack: Stack, count: number): Promise<Program[]> {
  const registered = stack.registered + count;
  const workers = Array.from({ length: count }, () => stack.program(DB));
  await stack.broker.logged("worker.registered", () => stack.registered >= registered);
  return workers;
}

/** What the db service answers. */
export async function ask(client: Client, command: object, timeoutMs = 60_000) {
  const [reply] = await client.request("db", JSON.stringify(command), { timeoutMs });
  return JSON.parse(String(reply));
}
