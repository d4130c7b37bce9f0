import assert from "node:assert/strict";
import { test } from "node:test";
import { verdicts } from "./goals.ts";
import { runsOf } from "./measuring.ts";
import { guideBroker } from "./native/contenders.ts";
import { naive, shipped } from "./ours/contenders.ts";
import type { Part } from "./part.ts";
import {
  AT_1,
  AT_64,
  DEPTH,
  IDLE,
  IDLE_WORKERS,
  NATS,
  NATS_THIN,
  ON_LIBZMQ,
  ours,
  plan,
  queued,
  STRICT,
  USER,
} from "./plan.ts";
import { fileOf } from "./plots.ts";
import { Results } from "./results.ts";

const full = plan(false);

test("titles, columns and names are told apart", () => {
  for (const parts of [full, plan(true)]) {
    const titles = parts.map(({ title }) => title);
    assert.equal(new Set(titles).size, titles.length);
    for (const { columns, subjects } of parts) {
      assert.equal(new Set(columns).size, columns.length);
      const names = subjects.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length, names.join());
    }
  }
  const files = full.flatMap(({ title, columns }) => columns.map((one) => fileOf(title + one)));
  assert.equal(new Set(files).size, files.length);
});

test("a part's reference takes part in each of its columns", () => {
  for (const { title, columns, subjects, reference } of [...full, ...plan(true)]) {
    if (reference === null) continue;
    const subject = subjects.find(({ name }) => name === reference);
    assert.ok(subject, `${title}: ${reference}`);
    for (const column of columns) assert.ok(subject.takesPart(column), `${title}: ${column}`);
  }
});

test("a quick plan has the same parts, and a third of the runs at most", () => {
  const quick = plan(true);
  assert.deepEqual(
    quick.map(({ title }) => title),
    full.map(({ title }) => title),
  );
  const runs = (parts: Part[]) => parts.map(runsOf).reduce((sum, more) => sum + more);
  assert.ok(runs(quick) * 3 <= runs(full), `${runs(quick)} of ${runs(full)}`);
});

test("what the goals are about is measured by the plan", () => {
  const results = new Results();
  for (const { title, columns, subjects } of full) {
    for (const column of columns) {
      for (const { name, takesPart } of subjects) {
        const sample = { perSecond: 1, p50: 1, core: 1, bytesEach: 1 };
        if (takesPart(column)) results.runs.push({ part: title, column, subject: name, sample });
      }
    }
  }
  for (const { what, met } of verdicts(results)) assert.notEqual(met, null, what);
  for (const { met } of verdicts(new Results())) assert.equal(met, null);
});

test("a goal is met at its bound, and not beyond it", () => {
  const results = new Results();
  const add = (part: string, column: string, subject: string, sample: Record<string, number>) =>
    results.runs.push({ part, column, subject, sample });
  add(USER, AT_64, shipped("zmtp", 64).name, { perSecond: 400 });
  add(USER, AT_64, shipped("zmtp", 1).name, { perSecond: 99 });
  add(USER, AT_64, NATS, { perSecond: 100 });
  add(USER, AT_64, NATS_THIN, { perSecond: 300 });
  add(USER, AT_64, naive.name, { perSecond: 30 });
  add(USER, AT_1, shipped("zmtp", 64).name, { p50: 60 });
  add(USER, AT_1, NATS, { p50: 100 });
  add(ON_LIBZMQ, STRICT, ours("zmtp"), { perSecond: 12 });
  add(ON_LIBZMQ, STRICT, guideBroker.name, { perSecond: 10 });
  add(IDLE, IDLE_WORKERS, ours("zmtp"), { core: 0.021 });
  add(DEPTH, queued(1e6), ours("zmtp"), { bytesEach: 400 });
  assert.deepEqual(
    verdicts(results).map(({ met }) => met),
    [null, null, null, null, null, true, false, true, false, true, true, false, true],
  );
});
