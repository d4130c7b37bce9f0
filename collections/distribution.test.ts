import assert from "node:assert/strict";
import { test } from "node:test";
import { Distribution } from "./distribution.ts";

test("duration: counted in the lowest bucket whose bound it does not exceed", () => {
  const distribution = new Distribution();
  for (const ms of [0, 1, 1.1, 2.5, 10_000, 10_001, 1e9]) distribution.add(ms);
  assert.deepEqual(distribution.counts, [2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
});
