import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MapByNumber } from "./map-by-number.ts";

test("add, get and delete: the same results and the same order as a Map", () => {
  // Few remainders, so that many numbers share a bucket.
  const number = fc.tuple(fc.nat(9), fc.nat(9)).map(([tens, ones]) => 64 * tens + ones);
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

test("entry deleted by the loop that received it: the loop goes on with the next entry", () => {
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
