// The section of a document that a program writes, between <!-- name --> and <!-- /name -->.

import { readFileSync, writeFileSync } from "node:fs";

/** Replaces the section. Throws unless the document has each of the two marks once. */
export function writeSection(document: string, name: string, text: string) {
  const [before, , after] = split(document, name);
  const [start, end] = marks(name);
  writeFileSync(document, `${before}${start}\n\n${text}\n\n${end}${after}`);
}

/** The rows of the table in a section, one string per cell. */
export function rowsOf(document: string, name: string): string[][] {
  const [, section] = split(document, name);
  const rows = section.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(2).map((row) => row.slice(2, -2).split(" | "));
}

/** A Markdown table. */
export function markdown(head: string[], rows: string[][]): string {
  const line = (row: string[]) =>
    `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [head, head.map(() => "---"), ...rows].map(line).join("\n");
}

function split(document: string, name: string): [string, string, string] {
  const [start, end] = marks(name);
  const [before, rest, ...more] = readFileSync(document, "utf8").split(start);
  const [section, after, ...evenMore] = rest?.split(end) ?? [];
  const whole = before !== undefined && section !== undefined && after !== undefined;
  if (!whole || more.length + evenMore.length > 0)
    throw new Error(`${document} needs exactly one ${start} and one ${end} after it`);
  return [before, section, after];
}

const marks = (name: string) => [`<!-- ${name} -->`, `<!-- /${name} -->`] as [string, string];
