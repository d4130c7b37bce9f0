import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mutated } from "./mutant.ts";
import { MUTANTS } from "./mutants.ts";
import { rulesIn } from "./table.ts";

for (const mutant of MUTANTS) {
  test(`it still applies: ${mutant.rule}`, () => {
    const broken = mutated(readFileSync(mutant.file, "utf8"), mutant);
    assert.equal(typeof broken, "string", typeof broken === "string" ? "" : broken.wrong);
  });
}

test("a mutant applies where what it replaces stands once", () => {
  const mutant = { rule: "", file: "", find: "b", replace: "$&x" };
  assert.equal(mutated("abc", mutant), "a$&xc");
  assert.deepEqual(mutated("ac", mutant), { wrong: "what it replaces is not there" });
  assert.deepEqual(mutated("abcb", mutant), { wrong: "what it replaces is there more than once" });
});

test("docs/CONFORMANCE.md tells of each mutant what notices it; otherwise run make mutants", () => {
  assert.deepEqual(
    rulesIn("docs/CONFORMANCE.md"),
    MUTANTS.map(({ rule }) => rule),
  );
});
