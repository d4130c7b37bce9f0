// docs/RELIABILITY.md has a row for each scenario. They are written by make e2e, which needs Docker.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { scenariosIn } from "./containers/table.ts";

const titlesOf = (file: string) =>
  [...readFileSync(file, "utf8").matchAll(/\bscenario\(\s*"(.+?)",/g)].map(
    ([, title = ""]) => title,
  );

test("docs/RELIABILITY.md tells of each scenario; otherwise run make e2e", () => {
  const titles = globSync("e2e/containers/*.test.ts").flatMap(titlesOf);
  assert.ok(titles.length >= 25);
  assert.deepEqual(scenariosIn("docs/RELIABILITY.md").toSorted(), titles.toSorted());
});
