import assert from "node:assert/strict";
import { test } from "node:test";
import { CollectionRule } from "./collection-rule.ts";

const LITTLE = { heap: 50_000_000, external: 5_000_000 };
const MUCH = { heap: 150_000_000, external: 5_000_000 };

/** The decisions at looks with so many queued requests. */
const looks = (rule: CollectionRule, queued: number[], used = LITTLE) =>
  queued.map((each) => rule.look(each, used));

test("steady load with a small queue and a small heap: no collection", () => {
  assert.deepEqual(
    new Set(looks(new CollectionRule(), [0, 500, 9000, 100, 8000])),
    new Set([false]),
  );
});

test("end of a long queue: two collections, and then none", () => {
  const rule = new CollectionRule();
  assert.deepEqual(looks(rule, [50_000, 90_000, 20_000]), [false, false, false]);
  assert.deepEqual(looks(rule, [0, 0, 0, 0]), [true, true, false, false]);
  assert.deepEqual(looks(rule, [30_000, 0, 0, 0]), [false, true, true, false]);
});

test("long queue that comes and goes between two looks: two collections", () => {
  const rule = new CollectionRule();
  assert.deepEqual(looks(rule, [0]), [false]);
  rule.sample(200_000);
  assert.deepEqual(looks(rule, [0, 0, 0]), [true, true, false]);
});

test("end of a queue of few large requests: two collections", () => {
  const rule = new CollectionRule();
  const large = { heap: 20_000_000, external: 100_000_000 };
  assert.equal(rule.look(100, large), true);
  rule.collected(large);
  assert.deepEqual(looks(rule, [100, 0, 0, 0], large), [false, true, true, false]);
});

test("long queue that comes to rest: one collection of the garbage of its arrival", () => {
  const rule = new CollectionRule();
  assert.deepEqual(looks(rule, [50_000, 100_000, 100_000]), [false, false, true]);
  assert.deepEqual(looks(rule, [100_100, 100_050, 110_000, 110_000]), [false, false, false, false]);
});

test("more than 200,000 queued requests: no collection until they are fewer", () => {
  const rule = new CollectionRule();
  assert.deepEqual(looks(rule, [1_000_000, 1_000_000, 1_000_000], MUCH), [false, false, false]);
  assert.deepEqual(looks(rule, [90_000], MUCH), [true]);
});

test("large heap or many external bytes, few requests: a collection, again once they have doubled", () => {
  for (const used of [MUCH, { heap: 20_000_000, external: 40_000_000 }]) {
    const rule = new CollectionRule();
    assert.equal(rule.look(10, used), true);
    rule.collected(used);
    assert.equal(rule.look(10, used), false);
    const doubled = { heap: 2.1 * used.heap, external: 2.1 * used.external };
    assert.equal(rule.look(10, doubled), true);
  }
});
