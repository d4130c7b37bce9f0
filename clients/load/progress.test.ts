import assert from "node:assert/strict";
import { test } from "node:test";
import { barText, headline, type Snapshot, statisticsLine } from "./progress.ts";

const SNAPSHOT: Snapshot = {
  seconds: 12.2,
  perSecond: 1234.4,
  p50Us: 1903,
  p99Us: 7207,
  counts: {
    sent: 14_811,
    answered: 14_808,
    refused: 0,
    timedOut: 3,
    lost: 0,
    wrong: 0,
    unfinished: 0,
  },
  retried: 3,
  duplicated: 0,
  stopping: false,
};

test("line before the statistics: what the client sends, and how often it writes", () => {
  const mix = new Map([
    ["echo", 6],
    ["db", 2],
  ] as const);
  assert.equal(
    headline({ mix, own: null, every: 10, rate: 200, outstanding: 16 }),
    "sends 200 requests per second to echo, db, and checks each reply; one line per 10 s",
  );
  assert.match(
    headline({ mix, own: null, every: 10, rate: null, outstanding: 16 }),
    /^sends 16 requests at a time to/,
  );
  assert.equal(
    headline({ mix, own: { service: "resize", body: [] }, every: 2, rate: 5, outstanding: 16 }),
    "sends 5 requests per second to resize, and counts the replies; one line per 2 s",
  );
});

test("any snapshot: one statistics line", () => {
  assert.equal(
    statisticsLine(SNAPSHOT),
    "12 s  1,234 req/s  answered 14,808  p50 1.9 ms  p99 7.21 ms  " +
      "retried 3  refused 0  lost 0  duplicated 0  wrong 0",
  );
});

test("snapshot during the drain: the statistics line has the outstanding requests", () => {
  assert.match(
    statisticsLine({ ...SNAPSHOT, stopping: true }),
    /wrong 0 {2}stopping, 3 outstanding$/,
  );
});

test("no faults: the text beside the bar is short", () => {
  const faultless = { ...SNAPSHOT, retried: 0 };
  assert.equal(barText(faultless, 60), "12 s of 60 s  1,234 req/s  answered 14,808  lost 0");
  assert.equal(barText(faultless, 0), "12 s  1,234 req/s  answered 14,808  lost 0");
});

test("faults: the text beside the bar has a count for each", () => {
  const counts = { ...SNAPSHOT.counts, refused: 1, lost: 1, wrong: 1 };
  assert.equal(
    barText({ ...SNAPSHOT, seconds: 3700, counts, duplicated: 2, stopping: true }, 0),
    "61 min 40 s  1,234 req/s  answered 14,808  lost 1  retried 3  refused 1  duplicated 2  " +
      "wrong 1  stopping, 0 outstanding",
  );
});

test("interval without a reply: no latency", () => {
  assert.match(statisticsLine({ ...SNAPSHOT, p50Us: 0, p99Us: 0 }), /p50 – {2}p99 – /);
});
