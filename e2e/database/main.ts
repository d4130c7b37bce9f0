// Runs the db worker's tests on each engine: its unit tests again on PostgreSQL, and then those here,
// which start what they need. Where there is no PostgreSQL, those here are run on SQLite alone, and
// what was not run is said. Where everything is to be checked (CI=true), that is a failure.
//
//   make databases
//   ONLY=killed make databases     those with this in their titles

import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { HOW_TO_GET_THEM, missing } from "./engines.ts";
import { Postgres } from "./postgres.ts";

const WHAT = "the db worker's tests on PostgreSQL";
const only = process.env.ONLY ?? "";

const lacking = missing();
if (lacking.length === 0) {
  const passed = await unitTests();
  process.exitCode = (await tests("e2e/database/*.test.ts")) && passed ? 0 : 1;
} else {
  const passed = await tests("e2e/database/*.test.ts", { ENGINES: "SQLite" });
  const want = lacking.join(" and ");
  process.stdout.write(`Not run: ${WHAT}, for want of ${want}. To run them: ${HOW_TO_GET_THEM}\n`);
  process.exitCode = passed && process.env.CI !== "true" ? 0 : 1;
}

async function unitTests(): Promise<boolean> {
  await using server = await Postgres.start();
  return await tests("workers/db/{documents,once}.test.ts", { TEST_DATABASE_URL: server.url });
}

/** Whether they passed. */
async function tests(files: string, settings: Record<string, string> = {}): Promise<boolean> {
  const chosen = only === "" ? [] : [`--test-name-pattern=${only}`];
  const args = ["--import", "tsx", "--test", "--test-concurrency=2", ...chosen];
  const child = spawn(process.execPath, [...args, ...globSync(files).sort()], {
    stdio: "inherit",
    env: { ...process.env, ...settings },
  });
  const [code] = await once(child, "close");
  return code === 0;
}
