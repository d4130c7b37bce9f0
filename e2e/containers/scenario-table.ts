// Writes the scenarios and their measured times into docs/RELIABILITY.md.

import { availableParallelism } from "node:os";
import { count } from "../../clients/load/format.ts";
import { markdown, rowsOf, writeSection } from "../document.ts";
import type { ScenarioResult } from "./scenario.ts";

const SECTION = "scenarios";
const HEAD = ["Scenario", "Faults", "Measured times (limits)"];

export function writeScenarios(document: string, results: ScenarioResult[]) {
  const faults = results.flatMap((result) => result.faults).length;
  const machine = `${availableParallelism()} cores, Node ${process.versions.node}`;
  const text =
    `\`make e2e\`: ${count(results.length)} scenarios, ${count(faults)} faults, ` +
    `on a machine with ${machine}.`;
  writeSection(document, SECTION, `${text}\n\n${markdown(HEAD, results.map(rowOf))}`);
}

/** The titles of the scenarios in a document. */
export const scenariosIn = (document: string) =>
  rowsOf(document, SECTION).map(([title = ""]) => title);

const rowOf = ({ title, faults, times }: ScenarioResult) => [
  title,
  countByKind(faults),
  times.join("<br>") || "–",
];

function countByKind(faults: string[]): string {
  const kinds = Map.groupBy(faults, (kind) => kind);
  const counts = [...kinds].map(([kind, all]) => `${all.length} × ${kind}`);
  return counts.join(", ") || "–";
}
