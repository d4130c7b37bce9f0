import assert from "node:assert/strict";
import { test } from "node:test";
import type { Part } from "./part.ts";
import { fileOf, plotsOf } from "./plots.ts";
import { Results } from "./results.ts";
import { digits, goalsTable, tablesOf } from "./tables.ts";

const subject = (name: string) => ({
  name,
  missing: () => null,
  takesPart: () => true,
  run: async () => ({}),
});

const part = (view: Part["view"], columns: string[], ...names: string[]): Part => ({
  title: "Part: workers",
  about: "",
  view,
  reference: "B",
  rounds: 1,
  columns,
  subjects: names.map(subject),
});

function resultsOf(...runs: [column: string, subject: string, sample: Record<string, number>][]) {
  const results = new Results();
  for (const [column, name, sample] of runs)
    results.runs.push({ part: "Part: workers", column, subject: name, sample });
  return results;
}

const rows = (table: string) => table.split("\n").map((line) => line.slice(2, -2).split(" | "));

test("who was fastest comes first, with its ratio to the reference", () => {
  const slow = {
    perSecond: 1000,
    p50: 2,
    p99: 3,
    p999: 4,
    clientBusy: 0.5,
    brokerBytes: 12e6,
    workersBytes: 48e6,
    clientBytes: 5e6,
  };
  const results = resultsOf(["64", "B", slow], ["64", "A", { ...slow, perSecond: 4000 }]);
  const [head, , ...body] = rows(tablesOf(part("load", ["64"], "A", "B", "C"), results));
  assert.deepEqual(head?.slice(0, 3), ["64", "× B", "requests/s"]);
  assert.deepEqual(body[0]?.slice(0, 6), ["A", "**4 ×**", "4,000", "2", "3", "4"]);
  assert.deepEqual(body[1]?.slice(-4), ["50 %", "12", "48", "5"]);
  assert.equal(body.length, 2); // C was not measured.
});

test("growth is told as a multiple of what was with the first", () => {
  const results = resultsOf(["1", "A", { brokerCpu: 10 }], ["1,000", "A", { brokerCpu: 15 }]);
  const growth = part("growth", ["1", "1,000"], "A");
  const [, , row] = rows(tablesOf(growth, results));
  assert.deepEqual(row, ["A", "**1 ×** (10 µs)", "**1.5 ×** (15 µs)"]);
  const [plot] = plotsOf(growth, results);
  assert.equal(plot?.file, "part-workers.svg");
  assert.equal([...(plot?.svg.matchAll(/<circle/g) ?? [])].length, 2);
});

test("a queue's memory is told for each request and in all", () => {
  const sample = {
    bytesEach: 321.4,
    takenIn: 1e6,
    givenOut: 5e4,
    before: 5e7,
    full: 4e8,
    after: 6e7,
  };
  const results = resultsOf(["a million", "A", sample]);
  const [, , row] = rows(tablesOf(part("depth", ["a million"], "A"), results));
  assert.deepEqual(row, ["A", "a million", "321", "1,000,000", "50,000", "50", "400", "60"]);
});

test("an idle broker is told by its part of a core", () => {
  const results = resultsOf(["idle", "A", { core: 0.0123, brokerBytes: 5e7 }]);
  const [, , row] = rows(tablesOf(part("idle", ["idle"], "A"), results));
  assert.deepEqual(row, ["A", "idle", "1.23 %", "50"]);
});

test("a goal that is not met is told as such, and so is one that was not measured", () => {
  const goal = { what: "Speed", unit: "×", bound: { least: 4 } };
  const [, , missed, met, unknown] = rows(
    goalsTable([
      { ...goal, value: 3.9, met: false },
      { ...goal, bound: { most: 4 }, value: 3.9, met: true },
      { ...goal, value: Number.NaN, met: null },
    ]),
  );
  assert.deepEqual(missed, ["Speed", "≥ 4 ×", "3.9 ×", "**no**"]);
  assert.deepEqual(met, ["Speed", "≤ 4 ×", "3.9 ×", "yes"]);
  assert.deepEqual(unknown, ["Speed", "≥ 4 ×", "not measured", "–"]);
});

test("figures have three digits, or all before the point", () => {
  assert.deepEqual([1234.5, 123.4, 12.34, 1.234, 0.0123].map(digits), [
    ...["1,235", "123", "12.3", "1.23", "0.01"],
  ]);
  assert.deepEqual([undefined, Number.NaN].map(digits), ["–", "–"]);
});

test("a plot's file is named after what it shows", () => {
  assert.equal(
    fileOf("Larger bodies 1 MiB, 16 outstanding"),
    "larger-bodies-1-mib-16-outstanding.svg",
  );
});
