// Runs the tests with foreign peers. On a machine without what they need, prints that they did not run;
// that is a failure only where CI=true.

import { spawnSync } from "node:child_process";
import { HOW_TO_GET_THEM, missing } from "./tools.ts";

const lacking = missing();
if (lacking.length > 0) {
  const need = `they need ${lacking.join(" and ")}`;
  process.stdout.write(
    `Not run: the tests with foreign peers; ${need}. To run them: ${HOW_TO_GET_THEM}\n`,
  );
  process.exitCode = process.env.CI === "true" ? 1 : 0;
} else {
  process.exitCode = spawnSync("npm", ["run", "-s", "peers"], { stdio: "inherit" }).status ?? 1;
}
