// The scenarios and what they measured, as a table for docs/RELIABILITY.md.

import { availableParallelism } from "node:os";
import { count, elapsed } from "../../clients/load/format.ts";
import { markdown, rowsOf, writeSection } from "../document.ts";
import type { Note } from "./scenario.ts";

const SECTION = "scenarios";

export function writeInto(document: string, notes: Note[], seconds: number) {
  const faults = notes.flatMap((note) => note.faults).length;
  const machine = `${availableParallelism()} cores, Node ${process.versions.node}`;
  const text =
    `\`make e2e\`: ${count(notes.length)} scenarios, ${count(faults)} faults, ` +
    `${elapsed(seconds)} on a machine with ${machine}.`;
  writeSection(document, SECTION, `${text}\n\n${markdown(HEAD, notes.map(rowOf))}`);
}

/** The scenarios in a document's table. */
export const scenariosIn = (document: string) =>
  rowsOf(document, SECTION).map(([title = ""]) => title);

const rowOf = ({ title, faults, times }: Note) => [title, told(faults), times.join("<br>") || "–"];

/** How many of each kind. */
function told(faults: string[]): string {
  const kinds = Map.groupBy(faults, (kind) => kind);
  const each = [...kinds].map(([kind, all]) => `${all.length} × ${kind}`);
  return each.join(", ") || "–";
}

const HEAD = ["Scenario", "Faults", "Times, and what was allowed"];
