// The verdicts of all mutants as a table for a terminal.

import type { Verdict } from "./trial.ts";

/** Whether no suite failed with the mutant. */
export const survived = ({ found }: Verdict) => found.length === 0;

/** One mutant per block: the rule, and the test that failed with it and with few other mutants. */
export function table(verdicts: Verdict[]): string {
  const failures = new Map<string, number>();
  for (const { found } of verdicts)
    for (const test of found) failures.set(test, (failures.get(test) ?? 0) + 1);
  const rarest = (tests: string[]) =>
    tests.toSorted((one, other) => (failures.get(one) ?? 0) - (failures.get(other) ?? 0))[0];
  return verdicts
    .map(({ mutant, found }) => `${mutant.rule}\n  found by ${rarest(found) ?? "nothing"}`)
    .join("\n");
}
