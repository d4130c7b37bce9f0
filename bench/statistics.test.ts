import assert from "node:assert/strict";
import { test } from "node:test";
import { median, medians, ratio } from "./statistics.ts";

test("median: the middle value, or the mean of the two in the middle", () => {
  assert.equal(median([3]), 3);
  assert.equal(median([30, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 200]), 3.5);
  assert.ok(Number.isNaN(median([])));
});

test("medians: one per figure", () => {
  const rounds = [
    { p50: 1, p99: 9 },
    { p50: 5, p99: 7 },
    { p50: 2, p99: 8 },
  ];
  assert.deepEqual(medians(rounds), { p50: 2, p99: 8 });
  assert.throws(() => medians([]), RangeError);
});

test("slow round: slow for both systems, so the median of the ratios does not change", () => {
  assert.equal(ratio([100, 10, 110], [50, 5, 10]), 2);
});

test("round without a result of one system: left out of the ratio", () => {
  assert.equal(ratio([null, 10, 100], [1, 5, null]), 2);
  assert.equal(ratio([100, 10], [20]), 5);
  assert.ok(Number.isNaN(ratio([null], [1])));
  assert.ok(Number.isNaN(ratio([], [])));
});
