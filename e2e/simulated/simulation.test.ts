// Simulates thousands of runs with faults for the real broker, workers and clients.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { failure } from "./page.ts";
import { simulate } from "./simulation.ts";
import { Tally } from "./tally.ts";

const SEEDS = 2000;
const REQUESTS = 400_000;
const TAIL_LINES = 60;

test(`${SEEDS} seeds: no invariant broken, and every event that must sometimes happen does`, (t) => {
  const tally = new Tally();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const run = simulate(seed);
    tally.add(run);
    if (run.violation !== null) assert.fail(failure(simulate(seed, { traced: true }), TAIL_LINES));
  }
  assert.deepEqual(tally.missing, []);
  assert.ok(tally.requests >= REQUESTS, `only ${tally.requests} requests`);
  const faults = [...tally.faults.values()].reduce((sum, count) => sum + count, 0);
  t.diagnostic(`${tally.requests} requests, ${faults} faults, lost ${tally.outcomes.lost}`);
});

test("same seed: the same run to the last trace line; tracing: changes nothing", () => {
  const hash = (seed: number) =>
    createHash("sha256")
      .update(simulate(seed, { traced: true }).trace.join("\n"))
      .digest("hex");
  for (const seed of [1, 2, 3]) {
    assert.equal(hash(seed), hash(seed));
    assert.deepEqual(simulate(seed).verdict, simulate(seed, { traced: true }).verdict);
  }
  assert.notEqual(hash(1), hash(2));
});
