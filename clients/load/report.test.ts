import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClient } from "./fake-client.testing.ts";
import { makeReport } from "./report.ts";
import { Statistics } from "./statistics.ts";

/** Returns the report of a run in which echo answered with these latencies. */
function report(...latenciesMs: number[]) {
  const statistics = new Statistics(["echo"], 0);
  for (const latencyMs of latenciesMs) {
    statistics.sent("echo");
    statistics.ended("echo", { name: "answered", reason: "" }, latencyMs);
  }
  const client = new FakeClient(() => "silence");
  const now = new Date();
  const run = { startedAt: now, stoppedAt: now, answeredPerSecond: 1, notStarted: 0 };
  return makeReport(
    {
      broker: "tcp://broker:5555",
      transport: "zmtp",
      messageBytesMax: 2 ** 24,
      own: null,
      duration: 10,
      mix: new Map([["echo", 1]]),
      outstanding: 16,
      rate: null,
      timeout: 10_000,
      every: 2,
      json: true,
    },
    run,
    statistics,
    client,
  );
}

test("any latencies: in ms, no percentile above the maximum", () => {
  const { total, services } = report(12.345, ...Array(999).fill(1.5));
  assert.deepEqual(total.latencyMs, { p50: 1.5, p90: 1.5, p99: 1.5, p999: 1.5, max: 12.345 });
  assert.deepEqual(services.echo?.latencyMs, total.latencyMs);
  const { p50, max } = report(12.345).total.latencyMs ?? assert.fail();
  assert.equal(p50, max);
});

test("buckets: from the first reply to the last, each includes its lower edge", () => {
  assert.deepEqual(report(1, 1.4, 1.5, 3.1).latencyHistogram, [
    { fromMs: 1, toMs: 1.5, count: 2 },
    { fromMs: 1.5, toMs: 2, count: 1 },
    { fromMs: 2, toMs: 3, count: 0 },
    { fromMs: 3, toMs: 5, count: 1 },
  ]);
  assert.deepEqual(report().latencyHistogram, []);
  const all = report(1e9, 0).latencyHistogram; // Latencies above one hour count as one hour.
  assert.equal(all[0]?.fromMs, 0);
  assert.deepEqual(all.at(-1), { fromMs: 3_000_000, toMs: 5_000_000, count: 1 });
});

test("any run: the report has its options with their units", () => {
  assert.deepEqual(report().options, {
    broker: "tcp://broker:5555",
    durationSeconds: 10,
    mix: { echo: 1 },
    outstanding: 16,
    ratePerSecond: null,
    timeoutMs: 10_000,
  });
});
