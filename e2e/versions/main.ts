// Runs the tests of 0.1.0 and 0.2.0 together. On a machine that cannot have the programs of 0.1.0,
// prints that they did not run; that is a failure only where CI=true.

import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
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
  process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
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
