import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FAULT_KINDS,
  type PlannedFault,
  SERVICES,
  schedule,
  serviceOf,
  TARGETS,
  WORKERS,
} from "./fault-schedule.ts";

const MINUTE_MS = 60_000;
const SEEDS = Array.from({ length: 300 }, (_, seed) => seed * 7919);
const many = (durationMs: number) => SEEDS.map((seed) => schedule(seed, durationMs));

test("same seed and duration: same schedule; another seed: another schedule", () => {
  assert.deepEqual(schedule(42, MINUTE_MS), schedule(42, MINUTE_MS));
  assert.notDeepEqual(schedule(42, MINUTE_MS), schedule(43, MINUTE_MS));
});

test("without packet faults: still at least 15 faults per minute", () => {
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

test("one minute: every kind of fault; ten minutes: every kind on the broker too", () => {
  for (const planned of many(MINUTE_MS))
    assert.equal(new Set(planned.map(({ kind }) => kind)).size, FAULT_KINDS.length);
  for (const planned of many(10 * MINUTE_MS).slice(0, 50)) {
    const hit = (on: (fault: PlannedFault) => boolean) =>
      new Set(planned.filter(on).map(({ kind }) => kind)).size;
    assert.equal(
      hit(({ target }) => target === "broker"),
      FAULT_KINDS.length,
    );
    assert.equal(
      hit(({ target }) => target !== "broker"),
      FAULT_KINDS.length,
    );
    assert.deepEqual(new Set(planned.map(({ target }) => target)), new Set(TARGETS));
  }
});

test("faults: within the run, in order, and never two at once on a target", () => {
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

test("sometimes two faults start within 50 ms", () => {
  const pairs = many(MINUTE_MS).flatMap((planned) =>
    planned.filter(({ at }, index) => at - (planned[index - 1]?.at ?? 0) <= 50),
  );
  assert.ok(pairs.length > SEEDS.length);
});

test("no service loses all its workers for more than 10 s", () => {
  for (const planned of many(10 * MINUTE_MS).slice(0, 50)) {
    for (const service of SERVICES) assert.ok(longestAbsence(service, planned) <= 10_000);
  }
});

test("shortest run: at least two faults", () => {
  for (const planned of many(10_000)) assert.ok(planned.length >= 2);
});

const START_MS = 2000; // The time that a worker takes to register again.

/** The longest time in which no worker of a service runs. */
function longestAbsence(service: string, planned: PlannedFault[]): number {
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
