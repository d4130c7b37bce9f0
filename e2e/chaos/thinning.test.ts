import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, fakeFacts } from "./fake-facts.ts";
import { thinOut } from "./thinning.ts";

const quick = Array.from({ length: 100 }, (_, nth) => answered(nth));

test("what a page can stand is drawn, in the order of the starts", () => {
  const { requests } = fakeFacts({}, quick.toReversed());
  assert.deepEqual(thinOut(requests, 100), { dots: quick, quick: 100, every: 1 });
});

test("beyond that some of the quick answers are left out, and nothing else", () => {
  const others = [
    answered(50, { latencyMs: 250 }),
    answered(51, { outcome: "lost" }),
    answered(52, { outcome: "wrong" }),
    answered(53, { outcome: "refused" }),
  ];
  const { requests } = fakeFacts({}, [...quick, ...others]);
  const { dots, every } = thinOut(requests, 40);
  assert.equal(every, 3);
  assert.equal(dots.length, 33 + others.length);
  for (const other of others) assert.ok(dots.some((dot) => dot.outcome === other.outcome));
  assert.equal(dots.filter(({ latencyMs }) => latencyMs === 250).length, 1);
});
