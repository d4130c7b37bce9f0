import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, fakeResult } from "./fake-result.ts";
import { sampleDots } from "./sampling.ts";

const quick = Array.from({ length: 100 }, (_, index) => answered(index));

test("requests up to the limit: all drawn, in the order of their starts", () => {
  const { requests } = fakeResult({}, quick.toReversed());
  assert.deepEqual(sampleDots(requests, 100), { dots: quick, quick: 100, every: 1 });
});

test("requests past the limit: only quick ones are left out", () => {
  const others = [
    answered(50, { latencyMs: 250 }),
    answered(51, { outcome: "lost" }),
    answered(52, { outcome: "wrong" }),
    answered(53, { outcome: "refused" }),
  ];
  const { requests } = fakeResult({}, [...quick, ...others]);
  const { dots, every } = sampleDots(requests, 40);
  assert.equal(every, 3);
  assert.equal(dots.length, 33 + others.length);
  for (const other of others) assert.ok(dots.some((dot) => dot.outcome === other.outcome));
  assert.equal(dots.filter(({ latencyMs }) => latencyMs === 250).length, 1);
});
