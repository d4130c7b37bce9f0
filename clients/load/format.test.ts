import assert from "node:assert/strict";
import { test } from "node:test";
import { digits, elapsed } from "./format.ts";

test("any number: about three digits", () => {
  const numbers = [0, 0.0012, 0.853, 1.904, 12.34, 123.4, 1234.5].map(digits);
  assert.deepEqual(numbers, ["0", "0", "0.85", "1.9", "12.3", "123", "1,235"]);
});

test("any duration: its two largest units", () => {
  const times = [0.4, 119.6, 125, 7199, 93_784].map(elapsed);
  assert.deepEqual(times, ["0 s", "2 min 0 s", "2 min 5 s", "119 min 59 s", "26 h 3 min"]);
});
