// Runs the tests of 0.1.0 and 0.2.0 together. On a machine that cannot have the programs of 0.1.0,
// prints that they did not run; that is a failure only where CI=true. So it does with the tests on
// PostgreSQL on a machine without it.

import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { HOW_TO_GET_THEM, missing } from "../database/engines.ts";
import { install } from "./release.ts";

/** The longest time of a test, in ms. It suits a busy machine. */
const TEST_MAX_MS = 600_000;

const reason = reasonNotToRun();
if (reason !== null) {
  process.stdout.write(`Not run: the tests of 0.1.0 and 0.2.0 together; ${reason}\n`);
  process.exitCode = process.env.CI === "true" ? 1 : 0;
} else {
  const limits = [`--test-timeout=${TEST_MAX_MS}`, "--test-concurrency=2"];
  const args = ["--import", "tsx", "--test", ...limits, ...globSync("e2e/versions/*.test.ts")];
  const lacking = missing();
  const env = { ...process.env, ...(lacking.length > 0 && { ENGINES: "SQLite" }) };
  process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit", env }).status ?? 1;
  if (lacking.length > 0) {
    const what = "the db workers of 0.1.0 and 0.2.0 on PostgreSQL";
    const need = `they need ${lacking.join(" and ")}`;
    process.stdout.write(`Not run: ${what}; ${need}. To run them: ${HOW_TO_GET_THEM}\n`);
    process.exitCode ||= process.env.CI === "true" ? 1 : 0;
  }
}

/** Returns the reason why this machine cannot have the programs of 0.1.0, or null if it has them. */
function reasonNotToRun(): string | null {
  try {
    install();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
