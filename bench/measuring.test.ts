import assert from "node:assert/strict";
import { test } from "node:test";
import { measureAll, runsOf } from "./measuring.ts";
import type { Part, Sample, Subject } from "./part.ts";
import { Results } from "./results.ts";

const subject = (name: string, run: () => Promise<Sample>, more: Partial<Subject> = {}) => ({
  name,
  missing: () => null,
  takesPart: () => true,
  run,
  ...more,
});

const part = (subjects: Subject[]): Part => ({
  title: "Part",
  about: "",
  view: "load",
  reference: "A",
  rounds: 3,
  columns: ["1", "2"],
  subjects,
});

async function measured(subjects: Subject[]) {
  const results = new Results();
  const said: string[] = [];
  await measureAll([part(subjects)], results, {
    begun() {},
    ended: (run) => said.push(run),
    say: (sentence) => said.push(sentence),
    over() {},
  });
  return { results, said };
}

test("all take turns, round for round", async () => {
  const order: string[] = [];
  const taking = (name: string) =>
    subject(name, async () => {
      order.push(name);
      return { perSecond: 1 };
    });
  const subjects = [taking("A"), { ...taking("B"), takesPart: (column: string) => column === "2" }];
  await measured(subjects);
  assert.equal(order.join(""), "AAB".repeat(3));
  assert.equal(runsOf(part(subjects)), order.length);
});

test("medians are of the rounds, and ratios of figures in the same round", async () => {
  const values = { A: [10, 10, 1, 1, 5, 5], B: [20, 20, 2, 2, 100, 100] };
  const giving = (name: "A" | "B") =>
    subject(name, async () => ({ perSecond: values[name].shift() as number }));
  const { results } = await measured([giving("A"), giving("B")]);
  assert.deepEqual(results.medians("Part", "1", "A"), { perSecond: 5 });
  assert.equal(results.ratio("Part", "1", "perSecond", "B", "A"), 2);
  assert.equal(results.growth("Part", "perSecond", "A", "2", "1"), 1);
});

test("whose software is missing is told once, and does not take part", async () => {
  const absent = { missing: () => "it is not here: apt-get install it" };
  const { results, said } = await measured([subject("A", () => assert.fail("it ran"), absent)]);
  assert.deepEqual(results.notRun, ["A: it is not here: apt-get install it"]);
  assert.deepEqual(said, ["NOT RUN: A: it is not here: apt-get install it"]);
  assert.equal(results.medians("Part", "1", "A"), null);
});

test("what fails is told with its reason, and is not tried again", async () => {
  let runs = 0;
  const failing = subject("A", async () => {
    runs += 1;
    throw new Error("the broker died");
  });
  const { results } = await measured([failing, subject("B", async () => ({ perSecond: 1 }))]);
  assert.equal(runs, 2); // Once in each column.
  assert.deepEqual(results.failed, ["Part, 1, A: the broker died", "Part, 2, A: the broker died"]);
  assert.deepEqual(results.medians("Part", "2", "B"), { perSecond: 1 });
});

test("wrong replies fail a run", async () => {
  const { results } = await measured([subject("A", async () => ({ perSecond: 9, errors: 2 }))]);
  assert.equal(results.medians("Part", "1", "A"), null);
  assert.match(results.failed[0] ?? "", /2 requests were not answered rightly/);
});
