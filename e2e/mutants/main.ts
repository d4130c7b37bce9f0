// Breaks one rule at a time in copies of the source, and runs the tests and the simulation on each copy.
// A mutant that survives shows a rule without a test. The verdicts go to reports/mutants.json.
//
//   make mutants
//   ONLY=heartbeat make mutants     only rules with this text

import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { fail } from "../../runtime/fail.ts";
import { onStopSignal } from "../../runtime/signals.ts";
import { showProgress } from "../progress.ts";
import { Copy } from "./copy.ts";
import { MUTANTS } from "./mutants.ts";
import { type TimeLimits, tryMutant, tryUnbroken, type Verdict } from "./trial.ts";
import { survived, table } from "./verdicts.ts";

const REPORT = "reports/mutants.json";
const RULE_LENGTH = 40; // Fits beside the bar on a terminal of 80 columns.

const only = process.env.ONLY ?? "";
const mutants = MUTANTS.filter(({ rule }) => rule.toLowerCase().includes(only.toLowerCase()));
if (mutants.length === 0) fail("mutants", `no rule has "${only}" in its text`);
onStopSignal(() => process.exit(130));

const first = new Copy();
checkThatAllApply(first);
process.stderr.write("Running the tests and the simulation on an unbroken copy …\n");
const limits = await tryUnbroken(first).catch((error: Error) => fail("mutants", error.message));
const others = Array.from({ length: Math.min(availableParallelism(), mutants.length) - 1 });
const verdicts = await tryAll([first, ...others.map(() => new Copy())], limits);

mkdirSync(dirname(REPORT), { recursive: true });
writeFileSync(REPORT, `${JSON.stringify(verdicts, null, 2)}\n`);
process.stdout.write(`${table(verdicts)}\n`);
for (const { mutant } of verdicts.filter(survived)) {
  process.stderr.write(
    `mutants: ${mutant.file}: survived: ${mutant.rule}\n` +
      "  Write a test that fails with it, or replace a mutant that changes no behaviour.\n",
  );
}
const survivors = verdicts.filter(survived).length;
process.stdout.write(`${verdicts.length - survivors} passed, ${survivors} failed\n`);
process.exitCode = survivors === 0 ? 0 : 1;

function checkThatAllApply(copy: Copy) {
  for (const mutant of MUTANTS) {
    const mend = copy.break(mutant);
    if (typeof mend === "function") mend();
    else fail("mutants", `cannot apply: ${mutant.rule} (${mutant.file}: ${mend.reason})`);
  }
}

/** Each copy takes the next untried mutant. The verdicts are in the order of the mutants. */
async function tryAll(copies: Copy[], limits: TimeLimits): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const left = mutants.entries();
  const tried = { mutants: 0, survivors: 0, rule: "" };
  const progress = showProgress(mutants.length, () => ({
    done: tried.mutants,
    text: `${tried.mutants} of ${mutants.length}, ${tried.survivors} survived  ${tried.rule}`,
  }));
  const workThrough = async (copy: Copy) => {
    for (const [nth, mutant] of left) {
      const verdict = await tryMutant(copy, mutant, limits).catch((error: Error) =>
        fail("mutants", `${mutant.rule} (${mutant.file}): ${error.message}`),
      );
      verdicts[nth] = verdict;
      tried.mutants += 1;
      tried.survivors += survived(verdict) ? 1 : 0;
      tried.rule = mutant.rule.slice(0, RULE_LENGTH);
    }
  };
  await Promise.all(copies.map(workThrough));
  progress.end();
  return verdicts;
}
