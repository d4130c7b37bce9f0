// What became of the mutants, as a table for people at a terminal and as one for the documents.

import Table from "cli-table3";
import { markdown, rowsOf, writeSection } from "../document.ts";
import type { Verdict } from "./trial.ts";

export const survived = ({ tests, simulation }: Verdict) =>
  tests.length === 0 && simulation === null;

export function summary(verdicts: Verdict[]): string {
  const caught = verdicts.filter((verdict) => !survived(verdict)).length;
  const byTests = verdicts.filter(({ tests }) => tests.length > 0).length;
  const bySimulation = verdicts.filter(({ simulation }) => simulation !== null).length;
  const all = verdicts.length;
  return `${caught} of ${all} caught, ${byTests} by a test and ${bySimulation} by the simulation.`;
}

export function page(verdicts: Verdict[]): string {
  const table = new Table({
    head: HEAD,
    colWidths: [42, 42, 12],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  table.push(...tableOf(verdicts));
  return table.toString();
}

/** Puts the table into the document. */
export function writeInto(document: string, verdicts: Verdict[]) {
  const text = `\`make mutants\`: ${summary(verdicts)}\n\n${markdown(HEAD, tableOf(verdicts))}`;
  writeSection(document, SECTION, text);
}

/** The rules in a document's table. */
export const rulesIn = (document: string) => rowsOf(document, SECTION).map(([rule = ""]) => rule);

/** Of the tests that notice, the one is told that fails for the fewest mutants: it is most to the point. */
function tableOf(verdicts: Verdict[]): string[][] {
  const failures = new Map<string, number>();
  for (const { tests } of verdicts)
    for (const test of tests) failures.set(test, (failures.get(test) ?? 0) + 1);
  const rarest = (tests: string[]) =>
    tests.toSorted((one, other) => (failures.get(one) ?? 0) - (failures.get(other) ?? 0))[0];
  return verdicts.map(({ mutant, tests, simulation }) => [
    mutant.rule,
    rarest(tests) ?? "none",
    simulation ?? "–",
  ]);
}

const SECTION = "mutants";
const HEAD = ["Broken on purpose", "The test that catches it", "Simulation"];
