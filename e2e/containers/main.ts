// Runs the scenarios, and the shipped compose files after them. What they measured goes into
// docs/RELIABILITY.md.
//
//   make e2e
//   ONLY=paused make e2e     those with this in their titles
//
// The scenarios take turns with the transports, and so do the compose files; with MDP_TRANSPORT set,
// all are on that one.
//
// With --part it is one of the suites of `make test`: where there is no engine it says what was not
// run, which is a failure where everything is to be checked (CI=true), and it writes no document.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail } from "../../runtime/fail.ts";
import { TRANSPORT_DEFAULT, TRANSPORTS } from "../../transport/transport.ts";
import { engineAnswers } from "./engine.ts";
import { buildImages } from "./images.ts";
import type { Note } from "./scenario.ts";
import { writeInto } from "./table.ts";

const WANTS =
  "the scenarios in containers and the shipped compose files, for want of a Docker engine";
const OTHER_TRANSPORT = { MDP_TRANSPORT: TRANSPORTS.find((name) => name !== TRANSPORT_DEFAULT) };
const only = process.env.ONLY ?? "";
const part = process.argv.includes("--part");

if (await engineAnswers()) {
  await run();
} else {
  process.stdout.write(`Not run: ${WANTS}. To run them: start Docker, then make e2e\n`);
  process.exitCode = part && process.env.CI !== "true" ? 0 : 1;
}

async function run() {
  const started = performance.now();
  process.stderr.write("Building the images …\n");
  await buildImages().catch((error: Error) => fail("e2e", error.message));
  const folder = mkdtempSync(join(tmpdir(), "majordomo-e2e-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const notes = join(folder, "notes");
  writeFileSync(notes, "");
  await succeeds(
    process.execPath,
    ["--import", "tsx", "--test", "--test-concurrency=1", ...chosen()],
    notes,
  );
  const seconds = (performance.now() - started) / 1000;
  if (only !== "") {
    if (read(notes).length === 0) fail("e2e", `there is no scenario with ${only} in its title`);
    return;
  }
  await succeeds(".ci/smoke", [], notes);
  await succeeds(".ci/smoke", ["compose.postgres.yaml"], notes, OTHER_TRANSPORT);
  if (!part) writeInto("docs/RELIABILITY.md", read(notes), seconds);
}

function chosen(): string[] {
  const files = globSync("e2e/containers/*.test.ts").sort();
  return only === "" ? files : [`--test-name-pattern=${only}`, ...files];
}

/** Ends this process, too, if the other fails. */
async function succeeds(command: string, args: string[], notes: string, settings = {}) {
  const env = { ...settings, ...process.env, SCENARIO_NOTES: notes };
  const child = spawn(command, args, { stdio: "inherit", env });
  const [code] = await once(child, "close");
  if (code !== 0) process.exit(code ?? 1);
}

function read(notes: string): Note[] {
  const lines = readFileSync(notes, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}
