// What became of the mutants, as a table for people at a terminal and as one for the documents.

import { readFileSync, writeFileSync } from "node:fs";
import Table from "cli-table3";
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
  table.push(...rowsOf(verdicts));
  return table.toString();
}

/** Puts the table into the document, between the two marks that are there for it. */
export function writeInto(document: string, verdicts: Verdict[]) {
  const [before, rest, ...more] = readFileSync(document, "utf8").split(START);
  const [, after, ...evenMore] = rest?.split(END) ?? [];
  if (before === undefined || after === undefined || more.length + evenMore.length > 0)
    throw new Error(`${document} has not one ${START} and one ${END} after it`);
  writeFileSync(document, `${before}${START}\n\n${markdown(verdicts)}\n\n${END}${after}`);
}

/** The rules in a document's table. */
export function rulesIn(document: string): string[] {
  const [, table = ""] = document.split(START);
  const rows = table
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2);
  return rows.map((row) => row.slice(2).split(" | ")[0] ?? "");
}

function markdown(verdicts: Verdict[]): string {
  const rows = [HEAD, HEAD.map(() => "---"), ...rowsOf(verdicts)];
  const lines = rows.map(
    (row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
  );
  return [`\`make mutants\`: ${summary(verdicts)}`, "", ...lines].join("\n");
}

/** Of the tests that notice, the one is told that fails for the fewest mutants: it is most to the point. */
function rowsOf(verdicts: Verdict[]): string[][] {
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

const START = "<!-- mutants -->";
const END = "<!-- /mutants -->";
const HEAD = ["Broken on purpose", "The test that catches it", "Simulation"];
