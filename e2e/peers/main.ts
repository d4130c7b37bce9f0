// Runs the tests with foreign peers, on each transport, where there is what they need, and otherwise
// says that they were not run. Where everything is to be checked (CI=true), that is a failure.

import { spawnSync } from "node:child_process";
import { HOW_TO_GET_THEM, missing } from "./tools.ts";

const lacking = missing();
if (lacking.length > 0) {
  const what = `the tests with peers in Python and C, for want of ${lacking.join(" and ")}`;
  process.stdout.write(`Not run: ${what}. To run them: ${HOW_TO_GET_THEM}\n`);
  process.exitCode = process.env.CI === "true" ? 1 : 0;
} else {
  const args = ["--import", "tsx", "e2e/transports.ts", "peers"];
  process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
}
