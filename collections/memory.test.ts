// The memory of a map by number. The test has a process of its own: where many test files share one, V8
// allocates the entries in its old space from the start.

import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MapByNumber } from "./map-by-number.ts";

test("things deleted from an old map: a minor collection frees them", () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as (options?: { type: "minor" }) => void;
  const numbered = new MapByNumber<number[]>();
  gc();
  gc(); // V8 has now promoted the map to its old space.
  const before = getHeapStatistics().used_heap_size;
  for (let number = 0; number < 100_000; number += 1) {
    numbered.add(number, new Array(10).fill(number));
    if (number >= 10) numbered.delete(number - 10);
  }
  gc({ type: "minor" });
  const kept = getHeapStatistics().used_heap_size - before;
  assert.ok(kept < 2 ** 20, `${kept} bytes were kept`);
});
