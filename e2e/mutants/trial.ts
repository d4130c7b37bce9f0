// Tries a broken copy: which tests notice, and does the simulation?

import { globSync } from "node:fs";
import { dirname } from "node:path";
import type { Copy } from "./copy.ts";
import type { Mutant } from "./mutant.ts";
import { type Ended, runNode } from "./node.ts";

export type Verdict = {
  mutant: Mutant;
  tests: string[]; // Those that failed, each after its file; or how a file ended, if none did.
  simulation: string | null; // The invariant that it found broken first, or how else it ended.
};

/** How long each test file and the simulation may take, in ms. */
export type TimeLimits = Map<string, number>;

const DIALOGS = [
  "broker/{broker,call,dialects,drain,fairness,figures,line,mmi,parcel,parts}.test.ts",
  "workers/session.test.ts",
  "clients/{session,session-plain}.test.ts",
  "protocol/*.test.ts",
  "workers/db/{document-command,documents,once}.test.ts",
];
const FLOODS = ["broker/memory.test.ts", "e2e/simulated/fuzz.test.ts"]; // Slow, so they come last.
const SIMULATION = "e2e/simulated/main.ts";
const SEEDS = { FROM: "1", SEEDS: "200" };

/** Limits by what each takes in a copy that nobody has broken. Throws if one fails there. */
export async function tryUnbroken({ folder }: Copy): Promise<TimeLimits> {
  const limits: TimeLimits = new Map();
  for (const file of [...testsOf(folder, "").flat(), SIMULATION]) {
    const run = file === SIMULATION ? simulate : runTests;
    const { ended, ms, output, errors } = await run(file, folder, 600_000);
    if (ended !== "well") throw new Error(`without a mutant ${file} fails\n${output}${errors}`);
    limits.set(file, 10_000 + 10 * ms);
  }
  return limits;
}

/** Breaks a rule in this copy, and mends it again. */
export async function tryMutant(copy: Copy, mutant: Mutant, limits: TimeLimits): Promise<Verdict> {
  const mend = copy.break(mutant);
  if (typeof mend !== "function") throw new Error(mend.wrong);
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

/** The dialogs of this folder, all others, and the floods. */
function testsOf(cwd: string, folder: string): string[][] {
  const dialogs = globSync(DIALOGS, { cwd }).sort();
  const near = dialogs.filter((file) => dirname(file) === folder);
  const far = dialogs.filter((file) => dirname(file) !== folder);
  return [near, far, FLOODS];
}

/** What fails under the name of its file has not run: the mutant is no TypeScript. */
function titleIn(file: string, name: string): string {
  if (name === file) throw new Error(`${file} cannot even be loaded`);
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
