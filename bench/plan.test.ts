import assert from "node:assert/strict";
import { test } from "node:test";
import { verdicts } from "./goals.ts";
import { guideBroker } from "./native/native-systems.ts";
import { ours, withClientLibrary, zeromqExample } from "./ours/our-systems.ts";
import { fileOf } from "./page-charts.ts";
import {
  AT_1,
  AT_64,
  DEPTH,
  END_TO_END,
  IDLE,
  IDLE_WORKERS,
  NATS,
  NATS_BARE,
  ON_LIBZMQ,
  ONE_AT_A_TIME,
  plan,
  queued,
} from "./plan.ts";
import { Results } from "./results.ts";
import { runsOf } from "./run-plan.ts";
import type { Section } from "./section.ts";

const full = plan(false);

test("titles, columns, names and chart files are unique", () => {
  for (const sections of [full, plan(true)]) {
    const titles = sections.map(({ title }) => title);
    assert.equal(new Set(titles).size, titles.length);
    for (const { columns, entries } of sections) {
      assert.equal(new Set(columns).size, columns.length);
      const names = entries.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length, names.join());
    }
  }
  const files = full.flatMap(({ title, columns }) => columns.map((one) => fileOf(title + one)));
  assert.equal(new Set(files).size, files.length);
});

test("the reference of a section takes part in all of its columns", () => {
  for (const { title, columns, entries, reference } of [...full, ...plan(true)]) {
    if (reference === null) continue;
    const entry = entries.find(({ name }) => name === reference);
    assert.ok(entry, `${title}: ${reference}`);
    for (const column of columns) assert.ok(entry.takesPart(column), `${title}: ${column}`);
  }
});

test("quick plan: the same sections, with at most a third of the runs", () => {
  const quick = plan(true);
  assert.deepEqual(
    quick.map(({ title }) => title),
    full.map(({ title }) => title),
  );
  const runs = (sections: Section[]) => sections.map(runsOf).reduce((sum, more) => sum + more);
  assert.ok(runs(quick) * 3 <= runs(full), `${runs(quick)} of ${runs(full)}`);
});

test("the plan measures every goal", () => {
  const results = new Results();
  for (const { title, columns, entries } of full) {
    for (const column of columns) {
      for (const { name, takesPart } of entries) {
        const sample = { perSecond: 1, p50: 1, core: 1, bytesPerRequest: 1 };
        if (takesPart(column)) results.runs.push({ section: title, column, system: name, sample });
      }
    }
  }
  for (const { title, met } of verdicts(results)) assert.notEqual(met, null, title);
  for (const { met } of verdicts(new Results())) assert.equal(met, null);
});

test("value at the bound: goal met; beyond it: not met", () => {
  const results = new Results();
  const add = (section: string, column: string, system: string, sample: Record<string, number>) =>
    results.runs.push({ section, column, system, sample });
  add(END_TO_END, AT_64, withClientLibrary("zmtp", 64).name, { perSecond: 400 });
  add(END_TO_END, AT_64, withClientLibrary("zmtp", 1).name, { perSecond: 99 });
  add(END_TO_END, AT_64, NATS, { perSecond: 100 });
  add(END_TO_END, AT_64, NATS_BARE, { perSecond: 300 });
  add(END_TO_END, AT_64, zeromqExample.name, { perSecond: 30 });
  add(END_TO_END, AT_1, withClientLibrary("zmtp", 64).name, { p50: 60 });
  add(END_TO_END, AT_1, NATS, { p50: 100 });
  add(ON_LIBZMQ, ONE_AT_A_TIME, ours("zmtp"), { perSecond: 12 });
  add(ON_LIBZMQ, ONE_AT_A_TIME, guideBroker.name, { perSecond: 10 });
  add(IDLE, IDLE_WORKERS, ours("zmtp"), { core: 0.021 });
  add(DEPTH, queued(1e6), ours("zmtp"), { bytesPerRequest: 400 });
  assert.deepEqual(
    verdicts(results).map(({ met }) => met),
    [null, null, null, null, null, true, false, true, false, true, true, false, true],
  );
});
