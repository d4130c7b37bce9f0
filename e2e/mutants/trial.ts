// Runs the tests and the simulation on a copy with one mutant.

import { globSync } from "node:fs";
import { dirname, relative } from "node:path";
import type { Copy } from "./copy.ts";
import type { Mutant } from "./mutant.ts";
import { type Ended, runNode } from "./node.ts";

export type Verdict = {
  mutant: Mutant;
  /** The failed tests as `file: title`; or how the tests ended, if they ended without a failed test. */
  tests: string[];
  /** The first invariant that the simulation found broken, or how it ended; null if it passed. */
  simulation: string | null;
};

/** How long the dialogs, the floods and the simulation may take on a broken copy, in ms. */
export type TimeLimits = { dialogs: number; floods: number; simulation: number };

const DIALOGS = [
  "broker/!(memory).test.ts",
  "workers/*.test.ts",
  "clients/{client,client-options,session,session-plain}.test.ts",
  "protocol/*.test.ts",
  "runtime/health.test.ts",
  "transport/endpoint.test.ts",
  "transport/zmtp/connection.test.ts",
  "workers/db/{document-command,documents,once}.test.ts",
];
const FLOODS = ["broker/memory.test.ts", "e2e/simulated/fuzz.test.ts"]; // Slow: run only if no dialog fails.
const SIMULATION = "e2e/simulated/main.ts";
/** A mutant that no test finds gets more seeds. */
const SEEDS = { found: 50, notFound: 200 };

/** Derives the limits from a run on an unbroken copy. Throws if anything fails there. */
export async function tryUnbroken({ folder }: Copy): Promise<TimeLimits> {
  const { dialogs, floods } = testsFor(folder);
  return {
    dialogs: limitFrom(await runTests(dialogs, folder)),
    floods: limitFrom(await runTests(floods, folder)),
    simulation: limitFrom(await simulate(folder, SEEDS.notFound)),
  };
}

/** Applies a mutant to this copy, runs everything, and undoes the mutant. */
export async function tryMutant(copy: Copy, mutant: Mutant, limits: TimeLimits): Promise<Verdict> {
  const mend = copy.break(mutant);
  if (typeof mend !== "function") throw new Error(mend.reason);
  const { folder } = copy;
  const { near, far, floods } = testsFor(folder, dirname(mutant.file));
  let tests = await failing(near, folder, limits.dialogs);
  if (tests.length === 0) tests = await failing(far, folder, limits.dialogs);
  if (tests.length === 0) tests = await failing(floods, folder, limits.floods);
  const seeds = tests.length > 0 ? SEEDS.found : SEEDS.notFound;
  const simulated = await simulate(folder, seeds, limits.simulation);
  mend();
  return { mutant, tests, simulation: violation(simulated) };
}

function limitFrom({ ended, ms, output, errors }: Ended): number {
  if (ended !== "well") throw new Error(`something fails without a mutant\n${output}${errors}`);
  return 10_000 + 5 * ms;
}

async function failing(files: string[], folder: string, limitMs: number): Promise<string[]> {
  if (files.length === 0) return [];
  const { ended, output } = await runTests(files, folder, limitMs);
  const lines = output.split("\n").filter((line) => line !== "");
  if (lines.length > 0) return lines.map((line) => titleIn(folder, JSON.parse(line)));
  if (ended === "well") return [];
  return [ended === "by time-out" ? "a time-out" : "a crash"];
}

/** The dialogs of the mutant's folder are near; they run first. */
function testsFor(cwd: string, folder = "") {
  const dialogs = globSync(DIALOGS, { cwd }).sort();
  const near = dialogs.filter((file) => dirname(file) === folder);
  const far = dialogs.filter((file) => dirname(file) !== folder);
  return { dialogs, near, far, floods: FLOODS };
}

/** A failure under the name of the file means that the file did not load. */
function titleIn(folder: string, { file, name }: { file: string; name: string }): string {
  const short = relative(folder, file);
  if (name === file || name === short) throw new Error(`${short} does not load`);
  return `${short}: ${name}`;
}

/** All files in one process: a process for each would take most of the time. */
const runTests = (files: string[], folder: string, limitMs = UNBROKEN_MAX_MS): Promise<Ended> =>
  runNode(["--test", "--test-isolation=none", `--test-reporter=${REPORTER}`, ...files], {
    folder,
    limitMs,
  });

/** Runs the seeds from 1 on. */
const simulate = (folder: string, seeds: number, limitMs = UNBROKEN_MAX_MS): Promise<Ended> =>
  runNode([SIMULATION], { folder, limitMs, settings: { FROM: "1", SEEDS: String(seeds) } });

const UNBROKEN_MAX_MS = 600_000;

const REPORTER = "./e2e/mutants/reporter.ts";

function violation({ ended, output }: Ended): string | null {
  if (ended === "well") return null;
  if (ended === "by time-out") return "a time-out";
  const [, sentence] = /^Seed [0-9]+: (.*)$/m.exec(output) ?? [];
  if (sentence === undefined) return "a crash";
  return /^([SL][0-9]+|conservation), /.exec(sentence)?.[1] ?? "history";
}
