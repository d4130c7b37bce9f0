// Runs the tests and the simulation on a copy with one mutant.

import { globSync } from "node:fs";
import { dirname, relative } from "node:path";
import type { Copy } from "./copy.ts";
import type { Mutant } from "./mutant.ts";
import { type Ended, runNode } from "./node.ts";

export type Verdict = {
  mutant: Mutant;
  /** The failed tests as `file: title`, or how the tests or the simulation ended; empty: a survivor. */
  found: string[];
};

/** How long the dialogs, the floods and the simulation may take on a broken copy, in ms. */
export type TimeLimits = { dialogs: number; floods: number; simulation: number };

const DIALOGS = [
  "broker/!(memory).test.ts",
  "workers/*.test.ts",
  "clients/{client,client-options,session,session-plain}.test.ts",
  "protocol/*.test.ts",
  "runtime/{health,log-output}.test.ts",
  "transport/endpoint.test.ts",
  "transport/zmtp/{connection,identity-claim}.test.ts",
  "workers/db/{document-command,documents,once}.test.ts",
];
const FLOODS = ["broker/memory.test.ts", "e2e/simulated/fuzz.test.ts"];
const SIMULATION = "e2e/simulated/main.ts";
const SEEDS = 200;

/** Derives the limits from a run on an unbroken copy. Throws if anything fails there. */
export async function tryUnbroken({ folder }: Copy): Promise<TimeLimits> {
  const { dialogs, floods } = testsFor(folder);
  return {
    dialogs: limitFrom(await runTests(dialogs, folder)),
    floods: limitFrom(await runTests(floods, folder)),
    simulation: limitFrom(await simulate(folder)),
  };
}

/** Applies a mutant, runs the quickest suites first until one of them fails, and undoes the mutant. */
export async function tryMutant(copy: Copy, mutant: Mutant, limits: TimeLimits): Promise<Verdict> {
  const mend = copy.break(mutant);
  if (typeof mend !== "function") throw new Error(mend.reason);
  const { folder } = copy;
  const { near, far, floods } = testsFor(folder, dirname(mutant.file));
  const suites = [
    () => failing(near, folder, limits.dialogs),
    () => failing(far, folder, limits.dialogs),
    async () => violation(await simulate(folder, limits.simulation)),
    () => failing(floods, folder, limits.floods),
  ];
  let found: string[] = [];
  for (const suite of suites) {
    found = await suite();
    if (found.length > 0) break;
  }
  mend();
  return { mutant, found };
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
const simulate = (folder: string, limitMs = UNBROKEN_MAX_MS): Promise<Ended> =>
  runNode([SIMULATION], { folder, limitMs, settings: { FROM: "1", SEEDS: String(SEEDS) } });

const UNBROKEN_MAX_MS = 600_000;

const REPORTER = "./e2e/mutants/reporter.ts";

/** The first invariant that the simulation found broken, or how it ended. */
function violation({ ended, output }: Ended): string[] {
  if (ended === "well") return [];
  if (ended === "by time-out") return ["simulation: a time-out"];
  const [, sentence] = /^Seed [0-9]+: (.*)$/m.exec(output) ?? [];
  if (sentence === undefined) return ["simulation: a crash"];
  return [`simulation: ${/^([SL][0-9]+|conservation), /.exec(sentence)?.[1] ?? "history"}`];
}
