import assert from "node:assert/strict";
import { test } from "node:test";
import type { Report } from "./report.ts";
import { reportText } from "./report-text.ts";

const COUNTS = {
  sent: 12_345,
  answered: 12_344,
  refused: 1,
  timedOut: 2,
  lost: 0,
  wrong: 0,
  unfinished: 0,
};
const LATENCY = { p50: 0.853, p90: 1.94, p99: 12.34, p999: 123.4, max: 1234.5 };

const REPORT: Report = {
  passed: true,
  verdict: "PASS.",
  startedAt: new Date(0),
  stoppedAt: new Date(10_004),
  endedAt: new Date(10_010),
  answeredPerSecond: 1234.4,
  total: { ...COUNTS, duplicated: 0, latencyMs: LATENCY },
  services: { echo: { ...COUNTS, latencyMs: LATENCY }, db: { ...COUNTS, latencyMs: null } },
  latencyHistogram: [
    { fromMs: 0.7, toMs: 1, count: 8 },
    { fromMs: 1, toMs: 1.5, count: 0 },
    { fromMs: 1.5, toMs: 2, count: 4000 },
    { fromMs: 2, toMs: 3, count: 1050 },
  ],
  resent: 0,
  lateReplies: 0,
  notStarted: 0,
  examples: [],
  options: {
    broker: "tcp://127.0.0.1:5555",
    durationSeconds: 10,
    mix: { echo: 6, db: 2 },
    outstanding: 16,
    ratePerSecond: null,
    timeoutMs: 10_000,
  },
};

test("passed run: heading, tables and verdict", () => {
  assert.equal(
    reportText(REPORT),
    `16 outstanding requests to tcp://127.0.0.1:5555 for 10 s: 1,234 answered per second

  requests    sent  answered  refused  timed out  lost  duplicated  wrong
─────────────────────────────────────────────────────────────────────────
  echo      12,345    12,344        1          2     0           –      0
  db        12,345    12,344        1          2     0           –      0
  total     12,345    12,344        1          2     0           0      0

  latency in ms   p50   p90   p99  p99.9    max
───────────────────────────────────────────────
  echo           0.85  1.94  12.3    123  1,235
  db                –     –     –      –      –
  total          0.85  1.94  12.3    123  1,235

  latency in ms  replies
──────────────────────────────────────────────────────────────────
        0.7 – 1        8  ▏
        1 – 1.5        0
        1.5 – 2    4,000  ████████████████████████████████████████
          2 – 3    1,050  ██████████▌

PASS.`,
  );
});

test("faults: the notes stand before the verdict", () => {
  const text = reportText({
    ...REPORT,
    resent: 16,
    lateReplies: 2,
    notStarted: 30,
    examples: [{ service: "math", outcome: "wrong", reason: '["4"] instead of 5 for 2 + 3' }],
    options: { ...REPORT.options, ratePerSecond: 500, outstanding: 8 },
  });
  assert.ok(
    text.startsWith("500 requests per second to tcp://127.0.0.1:5555 for 10 s: 1,234 answered"),
  );
  assert.deepEqual(text.split("\n").slice(-6), [
    'wrong (math): ["4"] instead of 5 for 2 + 3',
    "16 requests were sent again: the broker was silent, gone or shutting down.",
    "2 replies arrived after their requests had timed out.",
    "30 requests did not start on time because of the limit of 8 outstanding requests.",
    "",
    "PASS.",
  ]);
});
