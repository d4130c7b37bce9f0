// The verdicts of all mutants as a table for a terminal.

import type { Verdict } from "./trial.ts";

/** Whether neither a test nor the simulation failed with the mutant. */
export const survived = ({ tests, simulation }: Verdict) =>
  tests.length === 0 && simulation === null;

/** One mutant per block: the rule, the test that failed with it, the verdict of the simulation. */
export function table(verdicts: Verdict[]): string {
  const failures = new Map<string, number>();
  for (const { tests } of verdicts)
    for (const test of tests) failures.set(test, (failures.get(test) ?? 0) + 1);
  const rarest = (tests: string[]) =>
    tests.toSorted((one, other) => (failures.get(one) ?? 0) - (failures.get(other) ?? 0))[0];
  return verdicts
    .map(({ mutant, tests, simulation }) =>
      [
        mutant.rule,
        `  test:       ${rarest(tests) ?? "none"}`,
        `  simulation: ${simulation ?? "passed"}`,
      ].join("\n"),
    )
    .join("\n");
}
