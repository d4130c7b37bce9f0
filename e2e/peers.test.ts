// docs/CONFORMANCE.md, Who works with whom: the matrix has a cell for each of its tests, and every
// other test with foreign peers has a row.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { CLIENTS, WORKERS } from "./peers/kinds.ts";

const page = readFileSync("docs/CONFORMANCE.md", "utf8");
const [, section = ""] = page.split(/^## Who works with whom\n/m);
const [text = ""] = section.split(/^## /m);
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.slice(2, -2).split(" | "));
const matrix = rows.slice(0, CLIENTS.length + 1);
const cases = rows.slice(CLIENTS.length + 2); // Without their heading.

test("the matrix has every client and every worker, and all its cells are ticked", () => {
  const workers = WORKERS.map(({ name }) => name);
  assert.deepEqual(matrix, [
    ["Client → worker", ...workers],
    ...CLIENTS.map(({ name }) => [name, ...workers.map(() => "✓")]),
  ]);
});

for (const file of globSync("e2e/peers/*.test.ts").filter((name) => !name.includes("matrix"))) {
  test(`${file}: each test has a row, and each row its tests`, () => {
    const titles = cases.flatMap(([, tests = ""]) => {
      const [name, ...named] = tests.split("<br>");
      return name === `\`${file}\`` ? named : [];
    });
    assert.deepEqual(titles.toSorted(), titlesOf(file).toSorted());
  });
}

/** What differs from one run of a test to the next is left out. */
function titlesOf(file: string): string[] {
  const tests = readFileSync(file, "utf8").matchAll(/\btest\(\s*(["`])(.+?)\1,/g);
  return [...tests].map(([, , title = ""]) => title.replaceAll(/\$\{.+?\}/g, "…"));
}
