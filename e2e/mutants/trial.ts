// Runs the tests and the simulation on a copy with one mutant.

import { globSync } from "node:fs";
import { dirname } from "node:path";
import type { Copy } from "./copy.ts";
import type { Mutant } from "./mutant.ts";
import { type Ended, runNode } from "./node.ts";

export type Verdict = {
  mutant: Mutant;
  /** The failed tests as `file: title`; or how a test file ended, if it ended without a failed test. */
  tests: string[];
  /** The first invariant that the simulation found broken, or how it ended; null if it passed. */
  simulation: string | null;
};

/** The time limit of each test file and of the simulation, in ms. */
export type TimeLimits = Map<string, number>;

const DIALOGS = [
  "broker/!(memory).test.ts",
  "workers/*.test.ts",
  "clients/{session,session-plain}.test.ts",
  "protocol/*.test.ts",
  "transport/zmtp/connection.test.ts",
  "workers/db/{document-command,documents,once}.test.ts",
];
const FLOODS = ["broker/memory.test.ts", "e2e/simulated/fuzz.test.ts"]; // Slow: run only if no dialog fails.
const SIMULATION = "e2e/simulated/main.ts";
const SEEDS = { FROM: "1", SEEDS: "200" };

/** Derives the limits from a run on an unbroken copy. Throws if a file fails there. */
export async function tryUnbroken({ folder }: Copy): Promise<TimeLimits> {
  const limits: TimeLimits = new Map();
  for (const file of [...testsOf(folder, "").flat(), SIMULATION]) {
    const run = file === SIMULATION ? simulate : runTests;
    const { ended, ms, output, errors } = await run(file, folder, 600_000);
    if (ended !== "well") throw new Error(`${file} fails without a mutant\n${output}${errors}`);
    limits.set(file, 10_000 + 10 * ms);
  }
  return limits;
}

/** Applies a mutant to this copy, runs everything, and undoes the mutant. */
export async function tryMutant(copy: Copy, mutant: Mutant, limits: TimeLimits): Promise<Verdict> {
  const mend = copy.break(mutant);
  if (typeof mend !== "function") throw new Error(mend.reason);
  const { folder } = copy;
  let tests: string[] = [];
  for (const files of testsOf(folder, dirname(mutant.file))) {
    tests = await failing(files, folder, limits);
    if (tests.length > 0) break;
  }
  const simulated = await simulate(SIMULATION, folder, limits.get(SIMULATION));
  mend();
  return { mutant, tests, simulation: violation(simulated) };
}

async function failing(files: string[], folder: string, limits: TimeLimits): Promise<string[]> {
  const failed: string[] = [];
  const ends: string[] = [];
  for (const file of files) {
    const { ended, output } = await runTests(file, folder, limits.get(file));
    const lines = output.split("\n").filter((line) => line !== "");
    failed.push(...lines.map((line) => `${file}: ${titleIn(file, JSON.parse(line))}`));
    if (lines.length === 0 && ended === "by time-out") ends.push(`${file}: a time-out`);
    if (lines.length === 0 && ended === "badly") ends.push(`${file}: a crash`);
  }
  return failed.length > 0 ? failed : ends;
}

/** In the order of running: the dialogs of the folder, all other dialogs, the floods. */
function testsOf(cwd: string, folder: string): string[][] {
  const dialogs = globSync(DIALOGS, { cwd }).sort();
  const near = dialogs.filter((file) => dirname(file) === folder);
  const far = dialogs.filter((file) => dirname(file) !== folder);
  return [near, far, FLOODS];
}

/** A failure under the name of the file means that the file did not load. */
function titleIn(file: string, name: string): string {
  if (name === file) throw new Error(`${file} does not load`);
  return name;
}

const runTests = (file: string, folder: string, limitMs = 0): Promise<Ended> =>
  runNode(["--test", "--test-isolation=none", `--test-reporter=${REPORTER}`, file], {
    folder,
    limitMs,
  });

const simulate = (file: string, folder: string, limitMs = 0): Promise<Ended> =>
  runNode([file], { folder, limitMs, settings: SEEDS });

const REPORTER = "./e2e/mutants/reporter.ts";

function violation({ ended, output }: Ended): string | null {
  if (ended === "well") return null;
  if (ended === "by time-out") return "a time-out";
  const [, sentence] = /^Seed [0-9]+: (.*)$/m.exec(output) ?? [];
  if (sentence === undefined) return "a crash";
  return /^([SL][0-9]+|conservation), /.exec(sentence)?.[1] ?? "history";
}
