import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { MapByNumber } from "./map-by-number.ts";

test("things are found by their numbers, in the order in which they came, as in a Map", () => {
  const number = fc.tuple(fc.nat(9), fc.nat(9)).map(([tens, ones]) => 64 * tens + ones); // Many meet.
  const step = fc.record({ add: fc.boolean(), number });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: "max" }), (steps) => {
      const numbered = new MapByNumber<string>();
      const map = new Map<number, string>();
      for (const [nth, { add, number }] of steps.entries()) {
        if (!add) assert.equal(numbered.delete(number), map.delete(number));
        else if (!map.has(number)) {
          numbered.add(number, `thing ${nth}`);
          map.set(number, `thing ${nth}`);
        }
        assert.equal(numbered.get(number), map.get(number));
        assert.equal(numbered.has(number), map.has(number));
        assert.equal(numbered.size, map.size);
        assert.equal(numbered.first, [...map.values()][0]);
      }
      assert.deepEqual([...numbered], [...map]);
    }),
  );
});

test("whoever is handed a thing may take it out", () => {
  const numbered = new MapByNumber<string>();
  for (const number of [1, 65, 129, 2]) numbered.add(number, `thing ${number}`);
  const seen: number[] = [];
  for (const [number] of numbered) {
    seen.push(number);
    numbered.delete(number);
  }
  assert.deepEqual(seen, [1, 65, 129, 2]);
  assert.deepEqual([numbered.size, ...numbered], [0]);
});

test("what came and went is garbage at once, however old what it was in has grown", () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as (options?: { type: "minor" }) => void;
  const numbered = new MapByNumber<number[]>();
  gc();
  gc(); // It is old now.
  const before = getHeapStatistics().used_heap_size;
  for (let number = 0; number < 100_000; number += 1) {
    numbered.add(number, new Array(10).fill(number));
    if (number >= 10) numbered.delete(number - 10);
  }
  gc({ type: "minor" });
  const kept = getHeapStatistics().used_heap_size - before;
  assert.ok(kept < 2 ** 20, `${kept} bytes were kept`);
});
