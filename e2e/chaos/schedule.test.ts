import assert from "node:assert/strict";
import { test } from "node:test";
import {
  KINDS,
  type Planned,
  SERVICES,
  schedule,
  serviceOf,
  TARGETS,
  WORKERS,
} from "./schedule.ts";

const MINUTE_MS = 60_000;
const SEEDS = Array.from({ length: 300 }, (_, seed) => seed * 7919);
const many = (durationMs: number) => SEEDS.map((seed) => schedule(seed, durationMs));

test("the same seed and duration give the same schedule, another seed another", () => {
  assert.deepEqual(schedule(42, MINUTE_MS), schedule(42, MINUTE_MS));
  assert.notDeepEqual(schedule(42, MINUTE_MS), schedule(43, MINUTE_MS));
});

test("there are enough faults, also where no packets can be dropped", () => {
  const wanted: [number, number][] = [
    [1, 15],
    [10, 150],
    [30, 450],
  ];
  for (const [minutes, least] of wanted) {
    for (const planned of many(minutes * MINUTE_MS)) {
      const possible = planned.filter(
        ({ kind }) => kind !== "black-holed" && kind !== "losing packets",
      );
      assert.ok(possible.length >= least, `${possible.length} in ${minutes} min`);
    }
  }
});

test("a minute has every kind, and ten have every kind on the broker too", () => {
  for (const planned of many(MINUTE_MS))
    assert.equal(new Set(planned.map(({ kind }) => kind)).size, KINDS.length);
  for (const planned of many(10 * MINUTE_MS).slice(0, 50)) {
    const hit = (on: (fault: Planned) => boolean) =>
      new Set(planned.filter(on).map(({ kind }) => kind)).size;
    assert.equal(
      hit(({ target }) => target === "broker"),
      KINDS.length,
    );
    assert.equal(
      hit(({ target }) => target !== "broker"),
      KINDS.length,
    );
    assert.deepEqual(new Set(planned.map(({ target }) => target)), new Set(TARGETS));
  }
});

test("all is within the run, in order, and no target is hit before it is over the last time", () => {
  for (const planned of many(2 * MINUTE_MS)) {
    let last = 0;
    const freeAt = new Map<string, number>();
    for (const { at, target, forMs } of planned) {
      assert.ok(at >= last && at >= 1000 && at + forMs <= 2 * MINUTE_MS);
      assert.ok(Number.isInteger(at) && Number.isInteger(forMs));
      assert.ok(at >= (freeAt.get(target) ?? 0), `${target} at ${at}`);
      freeAt.set(target, at + forMs + 1);
      last = at;
    }
  }
});

test("two sometimes come at once", () => {
  const pairs = many(MINUTE_MS).flatMap((planned) =>
    planned.filter(({ at }, nth) => at - (planned[nth - 1]?.at ?? 0) <= 50),
  );
  assert.ok(pairs.length > SEEDS.length);
});

test("no service is without all its workers for long", () => {
  for (const planned of many(10 * MINUTE_MS).slice(0, 50)) {
    for (const service of SERVICES) assert.ok(longestAbsence(service, planned) <= 10_000);
  }
});

test("the shortest run has a fault", () => {
  for (const planned of many(10_000)) assert.ok(planned.length >= 2);
});

const START_MS = 2000; // What a worker may take to be back.

/** How long all workers of a service were away at once, at most. */
function longestAbsence(service: string, planned: Planned[]): number {
  let [away, since, longest] = [0, 0, 0];
  const edges = planned
    .filter(({ target }) => serviceOf(target) === service)
    .flatMap(({ at, forMs }): [number, number][] => [
      [at, 1],
      [at + forMs + START_MS, -1],
    ])
    .sort(([one], [other]) => one - other);
  for (const [at, change] of edges) {
    away += change;
    if (change > 0 && away === WORKERS[service as keyof typeof WORKERS]) since = at;
    if (change < 0 && away === WORKERS[service as keyof typeof WORKERS] - 1)
      longest = Math.max(longest, at - since);
  }
  return longest;
}
