// Runs the tests of the console in a browser. On a machine without Chromium, prints that they did not run;
// that is a failure only where CI=true.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { CHROMIUM } from "./console-page.ts";

if (existsSync(CHROMIUM)) {
  process.exitCode = spawnSync("npm", ["run", "-s", "browser"], { stdio: "inherit" }).status ?? 1;
} else {
  process.stdout.write(
    `Not run: the tests of the console; they need ${CHROMIUM}. ` +
      "To run them: apt-get install chromium, or set CHROMIUM\n",
  );
  process.exitCode = process.env.CI === "true" ? 1 : 0;
}
