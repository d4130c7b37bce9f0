import assert from "node:assert/strict";
import { test } from "node:test";
import { bareDecisions, decisions } from "./core.ts";
import { compare, lowerQuartile } from "./slices.ts";

/** So many rounds of the same work, each some 0.1 ms. */
const work = (rounds: number) => () => {
  let sum = 0;
  for (let nth = 0; nth < rounds * 5000; nth += 1) sum += Math.sin(nth);
  assert.notEqual(sum, 0);
};

test("the ratio is that of the CPU times, and waiting costs nothing", async () => {
  const waiting = async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    work(30)();
  };
  const ratio = await compare(work(90), waiting, 20);
  assert.ok(ratio > 2 && ratio < 4, String(ratio));
});

test("a quarter of the values are less than the lower quartile", () => {
  assert.equal(lowerQuartile([9, 1, 7, 3, 8, 2, 6, 4]), 3);
  assert.equal(lowerQuartile([5]), 5);
});

test("each slice of the broker's decisions is one that can be done again and again", () => {
  const [broker, bare] = [decisions(), bareDecisions()];
  for (let nth = 0; nth < 3; nth += 1) {
    broker();
    bare();
  }
});
