import assert from "node:assert/strict";
import { test } from "node:test";
import { outstanding, Tally } from "./tally.ts";

const ANSWERED = { name: "answered", reason: "" } as const;
const WRONG = { name: "wrong", reason: "1 instead of 2" } as const;

test("counts are kept per service and added up", () => {
  const tally = new Tally(["echo", "math"], 0);
  for (const service of ["echo", "echo", "math", "math", "math"] as const) tally.send(service);
  tally.end("echo", ANSWERED, 1);
  tally.askAgain("math");
  tally.end("math", WRONG, 1);
  tally.end("math", { name: "refused", reason: "no" }, 1);
  tally.end("math", { name: "lost", reason: "silence" }, 1);
  const zero = { sent: 0, answered: 0, refused: 0, timedOut: 0, lost: 0, wrong: 0 };
  const math = { ...zero, sent: 3, refused: 1, timedOut: 1, lost: 1, wrong: 1 };
  assert.deepEqual(tally.services.get("echo")?.counts, { ...zero, sent: 2, answered: 1 });
  assert.deepEqual(tally.services.get("math")?.counts, math);
  assert.deepEqual(tally.counts(), { ...math, sent: 5, answered: 1 });
  assert.equal(outstanding(tally.counts()), 1);
});

test("latency is that of what was answered", () => {
  const tally = new Tally(["echo", "math"], 0);
  tally.end("echo", ANSWERED, 1.5);
  tally.end("math", ANSWERED, 0.5);
  tally.end("math", WRONG, 900);
  assert.equal(tally.services.get("echo")?.latencyUs.maxValue, 1500);
  assert.equal(tally.latencyUs().totalCount, 2);
  assert.equal(tally.latencyUs().maxValue, 1500);
});

test("a latency of more than an hour counts as an hour", () => {
  const tally = new Tally(["echo"], 0);
  tally.end("echo", ANSWERED, 1e9);
  assert.equal(tally.latencyUs().maxValue, 3_600_000_000);
});

test("recent is what was answered since the last look", () => {
  const tally = new Tally(["echo"], 1000);
  for (let answered = 0; answered < 10; answered++) tally.end("echo", ANSWERED, 5);
  const { perSecond, p50Us } = tally.takeRecent(3000);
  assert.equal(perSecond, 5);
  assert.ok(Math.abs(p50Us - 5000) < 10);
  tally.end("echo", ANSWERED, 80);
  const next = tally.takeRecent(3500);
  assert.equal(next.perSecond, 2);
  assert.ok(Math.abs(next.p50Us - 80_000) < 100);
  assert.equal(tally.latencyUs().totalCount, 11);
});

test("the first few outcomes that want an explanation are kept", () => {
  const tally = new Tally(["echo"], 0);
  tally.end("echo", ANSWERED, 1);
  for (let ended = 0; ended < 1000; ended++) tally.end("echo", WRONG, 1);
  tally.end("echo", { name: "refused", reason: "no" }, 1);
  assert.equal(tally.examples.length, 4);
  assert.deepEqual(tally.examples[0], {
    service: "echo",
    outcome: "wrong",
    reason: "1 instead of 2",
  });
  assert.deepEqual(tally.examples[3], { service: "echo", outcome: "refused", reason: "no" });
});
