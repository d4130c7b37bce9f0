import assert from "node:assert/strict";
import { test } from "node:test";
import { chartsOf, fileOf } from "./page-charts.ts";
import { digits, goalsTable, tablesOf } from "./page-tables.ts";
import { Results } from "./results.ts";
import type { Section } from "./section.ts";

const entryOf = (name: string) => ({
  name,
  missing: () => null,
  takesPart: () => true,
  run: async () => ({}),
});

const sectionOf = (view: Section["view"], columns: string[], ...names: string[]): Section => ({
  title: "Section: workers",
  about: "",
  view,
  reference: "B",
  rounds: 1,
  columns,
  entries: names.map(entryOf),
});

function resultsOf(...runs: [column: string, system: string, sample: Record<string, number>][]) {
  const results = new Results();
  for (const [column, name, sample] of runs)
    results.runs.push({ section: "Section: workers", column, system: name, sample });
  return results;
}

const rows = (table: string) => table.split("\n").map((line) => line.slice(2, -2).split(" | "));

test("load table: fastest system first, with its ratio to the reference", () => {
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
  const [head, , ...body] = rows(tablesOf(sectionOf("load", ["64"], "A", "B", "C"), results));
  assert.deepEqual(head?.slice(0, 3), ["64", "× B", "requests/s"]);
  assert.deepEqual(body[0]?.slice(0, 6), ["A", "**4 ×**", "4,000", "2", "3", "4"]);
  assert.deepEqual(body[1]?.slice(-4), ["50 %", "12", "48", "5"]);
  assert.equal(body.length, 2); // C was not measured.
});

test("growth table: a multiple of the value in the first column", () => {
  const results = resultsOf(["1", "A", { brokerCpu: 10 }], ["1,000", "A", { brokerCpu: 15 }]);
  const growth = sectionOf("growth", ["1", "1,000"], "A");
  const [, , row] = rows(tablesOf(growth, results));
  assert.deepEqual(row, ["A", "**1 ×** (10 µs)", "**1.5 ×** (15 µs)"]);
  const [chart] = chartsOf(growth, results);
  assert.equal(chart?.file, "section-workers.svg");
  assert.equal([...(chart?.svg.matchAll(/<circle/g) ?? [])].length, 2);
});

test("queue table: memory per request and in total", () => {
  const sample = {
    bytesPerRequest: 321.4,
    enqueued: 1e6,
    delivered: 5e4,
    before: 5e7,
    full: 4e8,
    after: 6e7,
  };
  const results = resultsOf(["a million", "A", sample]);
  const [, , row] = rows(tablesOf(sectionOf("depth", ["a million"], "A"), results));
  assert.deepEqual(row, ["A", "a million", "321", "1,000,000", "50,000", "50", "400", "60"]);
});

test("idle table: share of a core, and memory", () => {
  const results = resultsOf(["idle", "A", { core: 0.0123, brokerBytes: 5e7 }]);
  const [, , row] = rows(tablesOf(sectionOf("idle", ["idle"], "A"), results));
  assert.deepEqual(row, ["A", "idle", "1.23 %", "50"]);
});

test("goals table: marks a goal as met, not met or not measured", () => {
  const goal = { title: "Speed", unit: "×", bound: { least: 4 } };
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

test("figures: three digits, or all before the point", () => {
  assert.deepEqual([1234.5, 123.4, 12.34, 1.234, 0.0123].map(digits), [
    ...["1,235", "123", "12.3", "1.23", "0.01"],
  ]);
  assert.deepEqual([undefined, Number.NaN].map(digits), ["–", "–"]);
});

test("chart files are named after section and column", () => {
  assert.equal(
    fileOf("Larger bodies 1 MiB, 16 outstanding"),
    "larger-bodies-1-mib-16-outstanding.svg",
  );
});
