// Runs the db worker's tests on each engine: its unit tests again on PostgreSQL, then the tests here.
// On a machine without PostgreSQL, runs the tests here on SQLite and prints that the others did not
// run; that is a failure only where CI=true. So it is without PgBouncer.
//
//   make databases
//   ONLY=killed make databases     only tests with "killed" in their titles

import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { HOW_TO_GET_THEM, missing, pgBouncer } from "./engines.ts";
import { Postgres } from "./postgres.ts";

const WHAT = "the db worker's tests on PostgreSQL";
const only = process.env.ONLY ?? "";

const lacking = missing();
if (lacking.length === 0) {
  const passed = await unitTests();
  process.exitCode = (await tests("e2e/database/*.test.ts")) && passed ? 0 : 1;
  if (pgBouncer === undefined) {
    process.stdout.write(`Not run: the tests behind PgBouncer. To run them: ${HOW_TO_GET_THEM}\n`);
    process.exitCode ||= process.env.CI === "true" ? 1 : 0;
  }
} else {
  const passed = await tests("e2e/database/*.test.ts", { ENGINES: "SQLite" });
  const need = `they need ${lacking.join(" and ")}`;
  process.stdout.write(`Not run: ${WHAT}; ${need}. To run them: ${HOW_TO_GET_THEM}\n`);
  process.exitCode = passed && process.env.CI !== "true" ? 0 : 1;
}

async function unitTests(): Promise<boolean> {
  await using server = await Postgres.start();
  const settings = { TEST_DATABASE_URL: server.url };
  const english = "template template0 locale_provider icu icu_locale 'en-US'";
  return (
    (await tests("workers/db/{documents,migrations,once,pruner}.test.ts", settings)) &&
    (await tests("workers/db/documents.test.ts", { ...settings, TEST_DATABASE_OPTIONS: english }))
  );
}

/** Returns whether the tests passed. */
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
