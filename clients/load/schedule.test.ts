import assert from "node:assert/strict";
import { test } from "node:test";
import { keepStarting, Pace } from "./schedule.ts";

test("closed loop: the next request is always due", () => {
  const pace = new Pace(null, 1000);
  pace.start();
  assert.equal(pace.nextAt(1234), 1234);
  assert.equal(pace.behind(9999), 0);
});

test("open loop: each request is due at its own time, however late the previous one was", () => {
  const pace = new Pace(4, 1000);
  assert.equal(pace.nextAt(1000), 1000);
  pace.start();
  assert.equal(pace.nextAt(1001), 1250);
  assert.equal(pace.nextAt(1900), 1250);
  pace.start();
  assert.equal(pace.nextAt(1900), 1500);
});

test("open loop: behind() counts the requests that were due and did not start", () => {
  const pace = new Pace(4, 1000);
  assert.equal(pace.behind(1000), 0);
  assert.equal(pace.behind(1001), 1);
  pace.start();
  assert.equal(pace.behind(1250), 0);
  assert.equal(pace.behind(2100), 4);
});

/** Requests that end when the test calls `ends`. */
function held() {
  const ends: (() => void)[] = [];
  const intended: number[] = [];
  const request = (intendedAt: number) => {
    intended.push(intendedAt);
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  return { ends, intended, request };
}

test("limit of 3: three are outstanding, and one starts for each that ends", async () => {
  const { ends, request } = held();
  const stop = new AbortController();
  const ended = keepStarting(new Pace(null, 0), 3, stop.signal, request);
  assert.equal(ends.length, 3);
  ends[1]?.();
  await turn();
  assert.equal(ends.length, 4);
  stop.abort();
  for (const end of ends) end();
  await ended;
});

test("stop: none starts, resolves when the last one ends", async () => {
  const { ends, request } = held();
  const stop = new AbortController();
  let isOver = false;
  const ended = keepStarting(new Pace(null, 0), 2, stop.signal, request).then(() => {
    isOver = true;
  });
  stop.abort();
  ends[0]?.();
  await turn();
  assert.deepEqual([ends.length, isOver], [2, false]);
  ends[1]?.();
  await ended;
});

test("stop while nothing is outstanding: resolves", async () => {
  const { request } = held();
  const stop = new AbortController();
  const ended = keepStarting(new Pace(1, performance.now() + 60_000), 1, stop.signal, request);
  stop.abort();
  await ended;
});

test("request starts late: keeps its intended time", async () => {
  const { ends, intended, request } = held();
  const stop = new AbortController();
  const start = performance.now() - 100; // The first request is 100 ms late.
  const ended = keepStarting(new Pace(100, start), 2, stop.signal, request);
  for (const end of ends) end();
  await turn();
  assert.deepEqual(intended, [start, start + 10, start + 20, start + 30]);
  stop.abort();
  for (const end of ends) end();
  await ended;
});

test("request not due yet: starts at its time", async () => {
  const { intended, request } = held();
  const stop = new AbortController();
  const due = performance.now() + 20;
  const started = Promise.withResolvers<number>();
  keepStarting(new Pace(0.001, due), 1, stop.signal, (intendedAt) => {
    started.resolve(performance.now());
    return request(intendedAt);
  });
  assert.deepEqual(intended, []);
  assert.ok((await started.promise) >= due);
  assert.deepEqual(intended, [due]);
});

test("request rejects: keepStarting rejects", async () => {
  const stop = new AbortController();
  const mistake = () => Promise.reject(new Error("mistake"));
  await assert.rejects(keepStarting(new Pace(null, 0), 1, stop.signal, mistake), /mistake/);
});

const turn = () => new Promise((resolve) => setImmediate(resolve));
