// The tables of docs/CONFORMANCE.md: a summary, one per specification, and the peers that were tried.
// `npm run conformance:page` writes them. The page's other text is written by hand.

import { globSync, readFileSync } from "node:fs";
import { CLIENTS, WORKERS } from "../peers/kinds.ts";
import { DEVIATIONS, REQUIREMENTS, SPECIFICATIONS } from "./requirements.ts";

export const PAGE = "docs/CONFORMANCE.md";
export const TEST_FILES = globSync("e2e/conformance/*.test.ts").sort();

/** The page with new tables. A table goes from `<!-- table: … -->` to the next empty line. */
export function withTables(page: string): string {
  return page.replaceAll(/(<!-- table: (.+) -->\n)[\s\S]*?(?=\n\n)/g, (_, marker, name) => {
    return `${marker}${tableOf(name).join("\n")}`;
  });
}

/** Does a test in this file have the id in its title? */
export function isTestedIn(file: string, id: string): boolean {
  return new RegExp(`["\`]${id}["\` ]`).test(readFileSync(file, "utf8"));
}

function tableOf(name: string): string[] {
  if (name === "summary") return summary();
  if (name === "peers") return peers();
  return requirementsOf(name);
}

function summary(): string[] {
  const rows = Object.keys(SPECIFICATIONS).map((name) => {
    const all = REQUIREMENTS.filter(({ specification }) => specification === name);
    const deviating = all.filter(({ id }) => DEVIATIONS[id]).length;
    return [linked(name), all.length, all.length - deviating, deviating];
  });
  return table(["Specification", "Requirements", "Met", "Deviations"], rows);
}

function requirementsOf(name: string): string[] {
  const rows = REQUIREMENTS.filter(({ specification }) => specification === name).map(
    ({ id, clause, text }) => {
      const verdict = DEVIATIONS[id] ? "[deviates](#deviations)" : "met";
      return [`[${id}](../${testFileOf(id)})`, clause, text, verdict];
    },
  );
  return table(["Id", "Clause", "Requirement", "Verdict"], rows);
}

/** Every client reaches every worker: e2e/peers/matrix.test.ts has a test for each cell. */
function peers(): string[] {
  const heads = WORKERS.map(({ name }) => name);
  const rows = CLIENTS.map(({ name }) => [name, ...WORKERS.map(() => "✓")]);
  return table(["Client → worker", ...heads], rows);
}

function table(head: string[], rows: (string | number)[][]): string[] {
  const line = (cells: (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)];
}

/** 7/MDP → a link to rfc.zeromq.org/spec/7. */
function linked(specification: string): string {
  return specification.replaceAll(/(\d+)\/\w+/g, "[$&](https://rfc.zeromq.org/spec/$1/)");
}

function testFileOf(id: string): string {
  return TEST_FILES.find((file) => isTestedIn(file, id)) ?? "";
}
