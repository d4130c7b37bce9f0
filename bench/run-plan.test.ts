import assert from "node:assert/strict";
import { test } from "node:test";
import { Results } from "./results.ts";
import { runPlan, runsOf } from "./run-plan.ts";
import type { Entry, Sample, Section } from "./section.ts";

const entryOf = (name: string, run: () => Promise<Sample>, more: Partial<Entry> = {}) => ({
  name,
  missing: () => null,
  takesPart: () => true,
  run,
  ...more,
});

const sectionOf = (entries: Entry[]): Section => ({
  title: "Section",
  about: "",
  view: "load",
  reference: "A",
  rounds: 3,
  columns: ["1", "2"],
  entries,
});

async function measured(entries: Entry[]) {
  const results = new Results();
  const printed: string[] = [];
  await runPlan([sectionOf(entries)], results, {
    begun() {},
    ended: (run) => printed.push(run),
    warn: (sentence) => printed.push(sentence),
    finish() {},
  });
  return { results, printed };
}

test("several systems: they take turns in each round", async () => {
  const order: string[] = [];
  const taking = (name: string) =>
    entryOf(name, async () => {
      order.push(name);
      return { perSecond: 1 };
    });
  const entries = [taking("A"), { ...taking("B"), takesPart: (column: string) => column === "2" }];
  await measured(entries);
  assert.equal(order.join(""), "AAB".repeat(3));
  assert.equal(runsOf(sectionOf(entries)), order.length);
});

test("several rounds: medians over the rounds, ratios of figures of the same round", async () => {
  const values = { A: [10, 10, 1, 1, 5, 5], B: [20, 20, 2, 2, 100, 100] };
  const giving = (name: "A" | "B") =>
    entryOf(name, async () => ({ perSecond: values[name].shift() as number }));
  const { results } = await measured([giving("A"), giving("B")]);
  assert.deepEqual(results.medians("Section", "1", "A"), { perSecond: 5 });
  assert.equal(results.ratio("Section", "1", "perSecond", "B", "A"), 2);
  assert.equal(results.growth("Section", "perSecond", "A", "2", "1"), 1);
});

test("packages of a system missing: reported once, and the system does not run", async () => {
  const absent = { missing: () => "it is not here: apt-get install it" };
  const { results, printed } = await measured([entryOf("A", () => assert.fail("it ran"), absent)]);
  assert.deepEqual(results.notRun, ["A: it is not here: apt-get install it"]);
  assert.deepEqual(printed, ["NOT RUN: A: it is not here: apt-get install it"]);
  assert.equal(results.medians("Section", "1", "A"), null);
});

test("run fails: reported with its reason, and not repeated", async () => {
  let runs = 0;
  const failing = entryOf("A", async () => {
    runs += 1;
    throw new Error("the broker died");
  });
  const { results } = await measured([failing, entryOf("B", async () => ({ perSecond: 1 }))]);
  assert.equal(runs, 2); // Once per column.
  assert.deepEqual(results.failed, [
    "Section, 1, A: the broker died",
    "Section, 2, A: the broker died",
  ]);
  assert.deepEqual(results.medians("Section", "2", "B"), { perSecond: 1 });
});

test("replies wrong or missing: the run fails", async () => {
  const { results } = await measured([entryOf("A", async () => ({ perSecond: 9, errors: 2 }))]);
  assert.equal(results.medians("Section", "1", "A"), null);
  assert.match(results.failed[0] ?? "", /2 requests got no reply or a wrong one/);
});
