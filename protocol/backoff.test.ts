import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "./backoff.ts";

test("more failures: the longest wait doubles from 100 ms to 5 s", () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 7, 100].map((failures) => backoffMs(failures, 1));
  assert.deepEqual(longest, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
});

test("same number of failures: half of the wait is random", () => {
  assert.equal(backoffMs(2, 0), 200);
  assert.equal(backoffMs(2, 0.5), 300);
});
