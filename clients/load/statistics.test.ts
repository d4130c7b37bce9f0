import assert from "node:assert/strict";
import { test } from "node:test";
import { outstanding, Statistics } from "./statistics.ts";

const ANSWERED = { name: "answered", reason: "" } as const;
const WRONG = { name: "wrong", reason: "1 instead of 2" } as const;

test("outcomes of two services: counted per service and in total", () => {
  const statistics = new Statistics(["echo", "math"], 0);
  for (const service of ["echo", "echo", "math", "math", "math"] as const) statistics.sent(service);
  statistics.ended("echo", ANSWERED, 1);
  statistics.retried("math");
  statistics.ended("math", WRONG, 1);
  statistics.ended("math", { name: "refused", reason: "no" }, 1);
  statistics.ended("math", { name: "lost", reason: "silence" }, 1);
  const zero = { sent: 0, answered: 0, refused: 0, timedOut: 0, lost: 0, wrong: 0, unfinished: 0 };
  const math = { ...zero, sent: 3, refused: 1, timedOut: 1, lost: 1, wrong: 1 };
  assert.deepEqual(statistics.services.get("echo")?.counts, { ...zero, sent: 2, answered: 1 });
  assert.deepEqual(statistics.services.get("math")?.counts, math);
  assert.deepEqual(statistics.counts(), { ...math, sent: 5, answered: 1 });
  assert.equal(outstanding(statistics.counts()), 1);
});

test("any outcomes: latencies of answered requests only", () => {
  const statistics = new Statistics(["echo", "math"], 0);
  statistics.ended("echo", ANSWERED, 1.5);
  statistics.ended("math", ANSWERED, 0.5);
  statistics.ended("math", WRONG, 900);
  assert.equal(statistics.services.get("echo")?.latencyUs.maxValue, 1500);
  assert.equal(statistics.latencyUs().totalCount, 2);
  assert.equal(statistics.latencyUs().maxValue, 1500);
});

test("latency above one hour: counts as one hour", () => {
  const statistics = new Statistics(["echo"], 0);
  statistics.ended("echo", ANSWERED, 1e9);
  assert.equal(statistics.latencyUs().maxValue, 3_600_000_000);
});

test("interval: the requests answered since the previous one", () => {
  const statistics = new Statistics(["echo"], 1000);
  for (let answered = 0; answered < 10; answered++) statistics.ended("echo", ANSWERED, 5);
  const { perSecond, p50Us } = statistics.takeInterval(3000);
  assert.equal(perSecond, 5);
  assert.ok(Math.abs(p50Us - 5000) < 10);
  statistics.ended("echo", ANSWERED, 80);
  const next = statistics.takeInterval(3500);
  assert.equal(next.perSecond, 2);
  assert.ok(Math.abs(next.p50Us - 80_000) < 100);
  assert.equal(statistics.latencyUs().totalCount, 11);
});

test("many outcomes other than answered: the first few of each are examples", () => {
  const statistics = new Statistics(["echo"], 0);
  statistics.ended("echo", ANSWERED, 1);
  for (let ended = 0; ended < 1000; ended++) statistics.ended("echo", WRONG, 1);
  statistics.ended("echo", { name: "refused", reason: "no" }, 1);
  assert.equal(statistics.examples.length, 4);
  assert.deepEqual(statistics.examples[0], {
    service: "echo",
    outcome: "wrong",
    reason: "1 instead of 2",
  });
  assert.deepEqual(statistics.examples[3], { service: "echo", outcome: "refused", reason: "no" });
});
