// docs/CONFORMANCE.md is true: its tables are those of e2e/conformance/requirements.ts, each test there
// names a requirement, and each requirement has a test.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { isTestedIn, PAGE, TEST_FILES, withTables } from "./conformance/conformance-page.ts";
import { DEVIATIONS, EXTENSIONS, idOf, REQUIREMENTS } from "./conformance/requirements.ts";
import verdicts from "./conformance/verdicts.ts";

const page = readFileSync(PAGE, "utf8");
const paragraphs = page.split("\n\n");
const ids = [...REQUIREMENTS.map(({ id }) => id), ...Object.keys(EXTENSIONS)];

test("the page has the tables that npm run conformance:page writes", () => {
  assert.equal(page, withTables(page));
});

test("the page has at most 250 lines", () => {
  assert.ok(page.trimEnd().split("\n").length <= 250);
});

test("the page links to each suite with foreign peers", () => {
  for (const file of globSync("e2e/peers/*.test.ts"))
    assert.ok(page.includes(`(../${file})`), file);
});

test("each id is declared once", () => {
  assert.equal(new Set(ids).size, ids.length);
});

for (const id of ids) {
  test(`${id} has a test`, () => {
    assert.ok(TEST_FILES.some((file) => isTestedIn(file, id)));
  });
}

for (const file of TEST_FILES) {
  test(`${file}: each title begins with an id`, () => {
    const source = readFileSync(file, "utf8");
    const titles = [...source.matchAll(/\btest\(\s*(["`])(.+?)\1/g)].map(
      ([, , title = ""]) => title,
    );
    assert.deepEqual(
      titles.filter((title) => !title.startsWith("${") && !idOf(title)),
      [],
    );
    const named = source.match(/\b(MDP[12]-[BCW]|MMI|REQREP|ZMTP)-[0-9]+\b|\bX-[A-Z]+\b/g) ?? [];
    assert.deepEqual(
      named.filter((id) => !idOf(id)),
      [],
    );
  });
}

for (const [id, heading] of [...Object.entries(DEVIATIONS), ...Object.entries(EXTENSIONS)]) {
  test(`the page has a paragraph for ${id}: ${heading}`, () => {
    const paragraph = paragraphs.find((text) => text.startsWith(`**${heading}**`)) ?? "";
    assert.match(paragraph, new RegExp(`\\b${id}\\b`));
  });
}

test("a test fails: the report names its requirement", async () => {
  async function* events(): AsyncGenerator<TestEvent> {
    const shared = { details: {}, nesting: 0, testNumber: 1 };
    for (const { id } of REQUIREMENTS.slice(1)) {
      yield { type: "test:pass", data: { ...shared, name: `${id} case: result` } } as TestEvent;
    }
    yield { type: "test:fail", data: { ...shared, name: "MMI-06 mmi.x: 501" } } as TestEvent;
  }
  let report = "";
  for await (const text of verdicts(events())) report += text;
  const met = REQUIREMENTS.length - Object.keys(DEVIATIONS).length - 2;
  assert.match(report, new RegExp(`^${met} requirements met, 1 not met`, "m"));
  assert.match(report, /^not met: MMI-06 .*501\. \(1 of 2 tests failed\)$/m);
  assert.match(report, new RegExp(`^not tested: ${REQUIREMENTS[0]?.id}$`, "m"));
});
