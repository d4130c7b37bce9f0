// A test on each engine: a broker, and an empty database for its db workers.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Client, RequestOptions } from "../../clients/client.ts";
import {
  type EmptyDatabase as Database,
  inFile,
  onServer,
} from "../../workers/db/empty-database.testing.ts";
import type { Program } from "../processes/program.ts";
import { Stack } from "../processes/stack.ts";
import { slowdown } from "../slowdown.ts";
import { type Engine, engines } from "./engines.ts";
import { Postgres } from "./postgres.ts";

export const DB = "workers/db.ts";

const scale = await slowdown();

/** A short lease, and so many deliveries that no request is quarantined. */
const SETTINGS = {
  MDP_HEARTBEAT_INTERVAL_MS: String(Math.round(500 * scale)),
  MDP_HEARTBEAT_LIVENESS: "4",
  MDP_DELIVERIES_MAX: "100",
};

const TEST_MAX_MS = 300_000;

export function onEachEngine(
  title: string,
  play: (stack: Stack, database: Database) => Promise<void>,
) {
  for (const engine of engines) {
    test(`${engine}: ${title}`, { timeout: TEST_MAX_MS }, () =>
      withDatabase(engine, async (database) => {
        await using stack = await stackOn(database);
        await play(stack, database);
      }),
    );
  }
}

/** Starts a broker for db workers on this database. Its client retries for as long as a test takes. */
export function stackOn({ settings }: Database): Promise<Stack> {
  return Stack.start({ ...SETTINGS, ...settings }, { silenceMs: 1000 * scale, tries: 100 });
}

/** A test that needs a server. */
export function onPostgres(title: string, play: (stack: Stack, server: Postgres) => Promise<void>) {
  if (!engines.includes("PostgreSQL")) return;
  test(`PostgreSQL: ${title}`, { timeout: TEST_MAX_MS }, async () => {
    await using server = await Postgres.start();
    const settings = { ...SETTINGS, DATABASE_URL: server.url };
    await using stack = await Stack.start(settings);
    await play(stack, server);
  });
}

/** One server for all tests of a file that neither stop nor freeze it. */
let server: Promise<Postgres> | undefined;
after(async () => (await server)?.[Symbol.asyncDispose]());

/** Runs `work` with an empty database. */
export async function withDatabase(engine: Engine, work: (database: Database) => Promise<void>) {
  if (engine === "PostgreSQL") {
    server ??= Postgres.start();
    await work(onServer(await (await server).database()));
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "majordomo-database-"));
  const database = inFile(join(folder, "documents.sqlite"));
  await work(database).finally(() => rmSync(folder, { recursive: true }));
}

/** Starts so many db workers at once, and resolves when all are registered. */
export async function dbWorkers(stack: Stack, count: number): Promise<Program[]> {
  const registered = stack.registered + count;
  const workers = Array.from({ length: count }, () => stack.program(DB));
  await stack.broker.logged("worker.registered", () => stack.registered >= registered);
  return workers;
}

/** Sends a command to the db service, and resolves to the answer. */
export async function ask(client: Client, command: object, options: RequestOptions = {}) {
  const body = JSON.stringify(command);
  const [reply] = await client.request("db", body, { timeoutMs: 60_000, ...options });
  return JSON.parse(String(reply));
}
