import assert from "node:assert/strict";
import { test } from "node:test";
import { quantileOf } from "./rates.ts";

const BOUNDS_MS = [1, 10, 100];

test("quantile: interpolated within its bucket", () => {
  assert.equal(quantileOf([4, 0, 0, 0], BOUNDS_MS, 0.5), 0.5);
  assert.equal(quantileOf([0, 10, 0, 0], BOUNDS_MS, 0.5), 5.5);
  assert.equal(quantileOf([50, 50, 0, 0], BOUNDS_MS, 0.99), 9.82);
});

test("quantile in the bucket without a bound: its lower bound; without durations: null", () => {
  assert.equal(quantileOf([0, 0, 0, 3], BOUNDS_MS, 0.5), 100);
  assert.equal(quantileOf([0, 0, 0, 0], BOUNDS_MS, 0.5), null);
  assert.equal(quantileOf([], [], 0.5), null);
});
