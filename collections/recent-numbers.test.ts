import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentNumbers } from "./recent-numbers.ts";

test("numbers added: the last ones are there, and at most twice the capacity", () => {
  const numbers = new RecentNumbers(3);
  for (let number = 0; number < 100; number += 1) {
    numbers.add(number);
    const known = Array.from({ length: 100 }, (_, nth) => nth).filter((nth) => numbers.has(nth));
    const wanted = Array.from({ length: Math.min(number + 1, 3) }, (_, nth) => number - nth);
    assert.deepEqual(known.slice(-wanted.length), wanted.reverse());
    assert.ok(known.length <= 6, `${known.length} after ${number}`);
  }
});

test("numbers cleared: none is there", () => {
  const numbers = new RecentNumbers(2);
  for (const number of [1, 2, 3]) numbers.add(number);
  numbers.clear();
  assert.deepEqual(
    [1, 2, 3].filter((number) => numbers.has(number)),
    [],
  );
});

test("a million numbers: each takes as long as the first ones", { timeout: 30_000 }, () => {
  const numbers = new RecentNumbers(50_000);
  for (let number = 0; number < 1_000_000; number += 1) numbers.add(number);
  assert.ok(numbers.has(999_999) && !numbers.has(0));
});
