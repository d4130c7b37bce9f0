import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mutated } from "./mutant.ts";
import { MUTANTS } from "./mutants.ts";

for (const mutant of MUTANTS) {
  test(`mutant applies to ${mutant.file}: ${mutant.rule}`, () => {
    const broken = mutated(readFileSync(mutant.file, "utf8"), mutant);
    assert.equal(typeof broken, "string", typeof broken === "string" ? "" : broken.reason);
  });
}

test("text of a mutant that does not occur exactly once: it does not apply", () => {
  const mutant = { rule: "", file: "", find: "b", replace: "$&x" };
  assert.equal(mutated("abc", mutant), "a$&xc");
  assert.deepEqual(mutated("ac", mutant), { reason: "its text does not occur" });
  assert.deepEqual(mutated("abcb", mutant), { reason: "its text occurs more than once" });
});

test("rules of mutants: each is listed once", () => {
  assert.equal(new Set(MUTANTS.map(({ rule }) => rule)).size, MUTANTS.length);
});
