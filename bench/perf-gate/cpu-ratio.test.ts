import assert from "node:assert/strict";
import { test } from "node:test";
import { baselineDecisions, decisions } from "./broker-decisions.ts";
import { baselineCalls, clientCalls } from "./client-calls.ts";
import { cpuRatio, lowerQuartile } from "./cpu-ratio.ts";
import { baselineJobs, workerJobs } from "./worker-jobs.ts";

/** A slice of this many rounds, about 0.1 ms each. */
const work = (rounds: number) => () => {
  let sum = 0;
  for (let round = 0; round < rounds * 5000; round += 1) sum += Math.sin(round);
  assert.notEqual(sum, 0);
};

test("slice that waits: only its CPU time counts", async () => {
  const waiting = async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    work(30)();
  };
  const ratio = await cpuRatio(work(90), waiting, 20);
  assert.ok(ratio > 2 && ratio < 4, String(ratio));
});

test("lower quartile: a quarter of the values are less", () => {
  assert.equal(lowerQuartile([9, 1, 7, 3, 8, 2, 6, 4]), 3);
  assert.equal(lowerQuartile([5]), 5);
});

test("slices of the broker's decisions: can run repeatedly", () => {
  const [broker, baseline] = [decisions(), baselineDecisions()];
  for (let round = 0; round < 3; round += 1) {
    broker();
    baseline();
  }
});

test("slices of the client's calls and the worker's jobs: can run repeatedly", async () => {
  const [client, worker] = [clientCalls(), workerJobs()];
  const [calls, jobs] = [baselineCalls(), baselineJobs()];
  for (let round = 0; round < 3; round += 1) {
    await client.slice();
    await calls();
    worker();
    jobs();
  }
  client.close();
});
