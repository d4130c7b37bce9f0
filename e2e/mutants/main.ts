// Breaks each rule on purpose, one at a time and in copies of the tree, to see what notices. A rule
// that can be broken without a test failing is a rule without a test.

import { availableParallelism } from "node:os";
import { fail } from "../../runtime/fail.ts";
import { onStopSignal } from "../../runtime/signals.ts";
import { showProgress } from "../progress.ts";
import { Copy } from "./copy.ts";
import { MUTANTS } from "./mutants.ts";
import { page, summary, survived, writeInto } from "./table.ts";
import { type TimeLimits, tryMutant, tryUnbroken, type Verdict } from "./trial.ts";

const DOCUMENT = "docs/CONFORMANCE.md";
const RULE_LENGTH = 40; // Fits beside the bar on a terminal of 80 columns.

const only = process.env.ONLY ?? "";
const mutants = MUTANTS.filter(({ rule }) => rule.toLowerCase().includes(only.toLowerCase()));
if (mutants.length === 0) fail("mutants", `there is no rule with ${only} in it`);
onStopSignal(() => process.exit(130));

const first = new Copy();
checkThatAllApply(first);
process.stderr.write("The tests and the simulation on a copy that is whole …\n");
const limits = await tryUnbroken(first).catch((error: Error) => fail("mutants", error.message));
const others = Array.from({ length: Math.min(availableParallelism(), mutants.length) - 1 });
const verdicts = await tryAll([first, ...others.map(() => new Copy())], limits);

process.stdout.write(`${page(verdicts)}\n\n${summary(verdicts)}\n`);
if (only === "") writeInto(DOCUMENT, verdicts);
for (const { mutant } of verdicts.filter(survived)) {
  process.stderr.write(
    `mutants: ${mutant.file}: nothing noticed that: ${mutant.rule}\n` +
      "  Write the test that does. If nobody could notice, break the rule in another way.\n",
  );
  process.exitCode = 1;
}

function checkThatAllApply(copy: Copy) {
  for (const mutant of MUTANTS) {
    const mend = copy.break(mutant);
    if (typeof mend === "function") mend();
    else fail("mutants", `no longer applies: ${mutant.rule} (${mutant.file}: ${mend.wrong})`);
  }
}

/** Each copy takes the next mutant that is left. The verdicts are in the order of the mutants. */
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
