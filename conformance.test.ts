// docs/CONFORMANCE.md is true: what its rows name is there, and no rule is tested without a row.

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { test } from "node:test";

const page = readFileSync("docs/CONFORMANCE.md", "utf8");
const [rules = ""] = page.split("## Who works with whom"); // What follows is e2e/peers.test.ts's.
const rows = rules
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| Rule |"))
  .map((line) => line.slice(2, -2).split(" | "));

/** Where the rules are tested: each test there is in a row. */
const TESTS = [
  "{protocol,broker}/*.test.ts",
  "workers/session.test.ts",
  "clients/{session,session-plain}.test.ts",
  "e2e/conformance/*.test.ts",
];

test("there are rows, each with a rule, where it is from, code and tests", () => {
  assert.ok(rows.length > 0);
  assert.deepEqual(
    rows.filter((cells) => cells.length !== 4 || cells.some((cell) => cell.trim() === "")),
    [],
  );
});

for (const [rule = "", , code = "", tests = ""] of rows) {
  test(`the code is there: ${rule}`, () => {
    const named = code.split("<br>").map(quoted);
    for (const [file = "", ...symbols] of named) {
      assert.ok(existsSync(file), `there is no ${file}`);
      assert.ok(symbols.length > 0, `nothing in ${file} is named`);
      assert.deepEqual(
        symbols.filter((symbol) => !defines(readFileSync(file, "utf8"), symbol)),
        [],
        `${file} has no such things`,
      );
    }
  });

  test(`the tests are there: ${rule}`, () => {
    const named = testsIn(tests);
    assert.ok(named.length > 0, "it has no test");
    for (const { file, title } of named) {
      assert.ok(existsSync(file), `there is no ${file}`);
      assert.ok(titlesOf(file).includes(title), `${file} has no test "${title}"`);
    }
  });
}

for (const file of globSync(TESTS)) {
  test(`${file} tests nothing that has no row`, () => {
    const inRows = rows.flatMap(([, , , tests = ""]) => testsIn(tests));
    const titles = inRows.filter((named) => named.file === file).map(({ title }) => title);
    assert.deepEqual(
      titlesOf(file).filter((title) => !titles.includes(title)),
      [],
    );
  });
}

/** What stands in backquotes. */
function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, inside = ""]) => inside);
}

/** A cell has lines: a file in backquotes, and the titles in it. */
function testsIn(cell: string): { file: string; title: string }[] {
  let file = "";
  return cell.split("<br>").flatMap((line) => {
    const [name] = quoted(line);
    if (line !== `\`${name}\``) return [{ file, title: line }];
    file = name ?? "";
    return [];
  });
}

function defines(source: string, symbol: string): boolean {
  const start = String.raw`^\s*(export )?((async )?function |const |class |get )?`;
  return new RegExp(`${start}${symbol}\\b`, "m").test(source);
}

/** What differs from one run of a test to the next is left out. */
function titlesOf(file: string): string[] {
  const tests = readFileSync(file, "utf8").matchAll(/\btest\(\s*(["`])(.+?)\1,/g);
  return [...tests].map(([, , title = ""]) => title.replaceAll(/\$\{.+?\}/g, "…"));
}
