// The page docs/PERFORMANCE.md with its plots, from the results.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { markdown } from "../e2e/document.ts";
import { verdicts } from "./goals.ts";
import { machine } from "./machine.ts";
import type { Part } from "./part.ts";
import { plotsOf } from "./plots.ts";
import type { Results } from "./results.ts";
import { goalsTable, tablesOf } from "./tables.ts";

const DOCUMENT = "docs/PERFORMANCE.md";
const FOLDER = "docs/performance";

export type Occasion = { command: string; date: string; minutes: number };

/** Writes the page, and what it stands on: plots, and each round's figures as JSON. */
export function writePage(parts: Part[], results: Results, occasion: Occasion) {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const { file, svg } of parts.flatMap((part) => plotsOf(part, results)))
    writeFileSync(`${FOLDER}/${file}`, svg);
  const { runs, notRun, failed } = results;
  const lines = runs.map((run) => JSON.stringify(run)).join(",\n"); // One for each, to be compared.
  const others = `"notRun":${JSON.stringify(notRun)},"failed":${JSON.stringify(failed)}`;
  writeFileSync(`${FOLDER}/rounds.json`, `{${others},"runs":[\n${lines}\n]}\n`);
  writeFileSync(DOCUMENT, page(parts, results, occasion));
}

export function page(parts: Part[], results: Results, occasion: Occasion): string {
  const first = [head(parts, occasion), goals(results), ...lacking(results)];
  return `${[...first, ...sections(parts, results)].join("\n\n")}\n`;
}

/** The tables alone, for a terminal. */
export const sections = (parts: Part[], results: Results) =>
  parts.map((part) =>
    [
      `## ${part.title}`,
      part.about,
      ...plotsOf(part, results).map(({ file, title }) => `![${title}](performance/${file})`),
      tablesOf(part, results),
    ].join("\n\n"),
  );

function head(parts: Part[], { command, date, minutes }: Occasion): string {
  const rounds = parts.map(({ title, rounds }) => `${title} ${rounds}`).join(", ");
  return `# Performance

Written by \`${command}\` on ${date}, in ${Math.round(minutes)} minutes. All ran on one machine, over
loopback TCP, in turns: A B C A B C …, each time in fresh processes. A figure is the median of the
rounds, and a ratio the median of the ratios of each round. Ratios hold from machine to machine better
than figures do: what is faster than what, rather than how fast it is. Rounds: ${rounds}. The figures
of each are in [rounds.json](performance/rounds.json).

CPU time is what Linux counted for the processes, all threads and children, while the load was
counted, divided by the requests. "client's core" is how much of one core the load generator took: one
that took all of it may have been the limit. Memory is what was resident in the end. Of several workers
time and memory are the sum.

${markdown(["Machine", ""], machine())}`;
}

const goals = (results: Results) => `## Goals\n\n${goalsTable(verdicts(results))}`;

function lacking({ notRun, failed }: Results): string[] {
  const list = (title: string, sentences: string[]) =>
    sentences.length === 0
      ? []
      : [`## ${title}\n\n${sentences.map((one) => `- ${inOneLine(one)}`).join("\n")}`];
  return [...list("Not run", notRun), ...list("Failed", failed)];
}

const inOneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, " · ").slice(0, 500);
