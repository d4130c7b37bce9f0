// Runs the scenarios, then .ci/smoke with the shipped compose files. Writes the measured times into
// docs/RELIABILITY.md.
//
//   make e2e
//   ONLY=paused make e2e     only scenarios with this text in their titles
//
// The scenarios and compose files alternate between the transports; with MDP_TRANSPORT set, all use
// that transport.
//
// With --part, as in `make test`, it runs the scenarios and compose.yaml alone, and writes no document.
// Without a Docker engine it prints that it ran nothing; that is a failure only where CI=true.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail } from "../../runtime/fail.ts";
import { TRANSPORT_DEFAULT, TRANSPORTS } from "../../transport/transport.ts";
import { engineAnswers } from "./engine.ts";
import { buildImages } from "./images.ts";
import type { ScenarioResult } from "./scenario.ts";
import { writeScenarios } from "./scenario-table.ts";

const OTHER_TRANSPORT = { MDP_TRANSPORT: TRANSPORTS.find((name) => name !== TRANSPORT_DEFAULT) };
const only = process.env.ONLY ?? "";
const part = process.argv.includes("--part");

if (await engineAnswers()) {
  await runAll();
} else {
  process.stdout.write(
    "Not run: the container scenarios and the shipped compose files (no Docker engine answers). " +
      "Start Docker, then run make e2e.\n",
  );
  process.exitCode = part && process.env.CI !== "true" ? 0 : 1;
}

async function runAll() {
  process.stderr.write("Building the images …\n");
  await buildImages().catch((error: Error) => fail("e2e", error.message));
  const folder = mkdtempSync(join(tmpdir(), "majordomo-e2e-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const results = join(folder, "results");
  writeFileSync(results, "");
  const tests = ["--import", "tsx", "--test", "--test-concurrency=1", ...selected()];
  await run(process.execPath, tests, { SCENARIO_RESULTS: results });

  if (only !== "") {
    if (read(results).length === 0) fail("e2e", `no scenario has "${only}" in its title`);
    return;
  }
  await run(".ci/smoke", []);
  if (part) {
    process.stdout.write("Not run: compose.postgres.yaml; make e2e runs it\n");
    return;
  }
  await run(".ci/smoke", ["compose.postgres.yaml"], OTHER_TRANSPORT);
  writeScenarios("docs/RELIABILITY.md", read(results));
}

/** The arguments that select the test files and the scenarios in them. */
function selected(): string[] {
  const files = globSync("e2e/containers/*.test.ts").sort();
  return only === "" ? files : [`--test-name-pattern=${only}`, ...files];
}

/** Runs a command; exits with its code if it fails. */
async function run(command: string, args: string[], settings = {}) {
  const child = spawn(command, args, { stdio: "inherit", env: { ...settings, ...process.env } });
  const [code] = await once(child, "close");
  if (code !== 0) process.exit(code ?? 1);
}

function read(results: string): ScenarioResult[] {
  const lines = readFileSync(results, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}
