// Checks docs/RELIABILITY.md: it has one row for each scenario. `make e2e` writes the rows and needs
// Docker.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { scenariosIn } from "./containers/scenario-table.ts";

const titlesOf = (file: string) =>
  [...readFileSync(file, "utf8").matchAll(/\bscenario\(\s*"(.+?)",/g)].map(
    ([, title = ""]) => title,
  );

test("docs/RELIABILITY.md has exactly the scenarios of e2e/containers/ (else run make e2e)", () => {
  const titles = globSync("e2e/containers/*.test.ts").flatMap(titlesOf);
  assert.ok(titles.length >= 25);
  assert.deepEqual(scenariosIn("docs/RELIABILITY.md").toSorted(), titles.toSorted());
});
