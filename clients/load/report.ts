// The report of a finished run. --json prints it as it is, report-text.ts makes it a text.

import { count } from "./format.ts";
import type { Options } from "./options.ts";
import type { LoadedClient } from "./outcome.ts";
import type { Run } from "./run.ts";
import type { Counts, Example, Histogram, Statistics } from "./statistics.ts";

/** All facts of a run. Dates become ISO strings in JSON. */
export type Report = {
  passed: boolean;
  verdict: string;
  startedAt: Date;
  /** The start of the drain. */
  stoppedAt: Date;
  /** The end of the drain. */
  endedAt: Date;
  /** Until the drain. */
  answeredPerSecond: number;
  /** `duplicated` has no count per service: a duplicate reply does not name its service. */
  total: Row & { duplicated: number };
  services: Record<string, Row>;
  latencyHistogram: Bucket[];
  /** How often the client sent a request again: the broker was silent, gone or shutting down. */
  resent: number;
  /** Replies to requests that had timed out. */
  lateReplies: number;
  /** Requests that were due at the end of the run and not started. */
  notStarted: number;
  examples: Example[];
  options: {
    broker: string;
    durationSeconds: number;
    mix: Record<string, number>;
    outstanding: number;
    ratePerSecond: number | null;
    timeoutMs: number;
  };
};

/** The counts and latencies of one service, or of all; null: nothing was answered. */
export type Row = Counts & { latencyMs: Latency | null };
/** Latencies of answered requests, in ms. */
export type Latency = { p50: number; p90: number; p99: number; p999: number; max: number };

/** The number of latencies from `fromMs` up to, but not including, `toMs`. */
export type Bucket = { fromMs: number; toMs: number; count: number };

/** Returns the report of a run that has ended. */
export function makeReport(
  options: Options,
  run: Run,
  statistics: Statistics,
  client: LoadedClient,
): Report {
  const total = statistics.counts();
  const { duplicate, late } = client.unmatchedReplies;
  const latencyUs = statistics.latencyUs();
  const services = [...statistics.services].map(([name, { counts, latencyUs }]) => [
    name,
    row(counts, latencyUs),
  ]);
  return {
    ...judge(total, duplicate),
    startedAt: run.startedAt,
    stoppedAt: run.stoppedAt,
    endedAt: new Date(),
    answeredPerSecond: run.answeredPerSecond,
    total: { ...row(total, latencyUs), duplicated: duplicate },
    services: Object.fromEntries(services),
    latencyHistogram: buckets(latencyUs),
    resent: client.retries,
    lateReplies: late,
    notStarted: run.notStarted,
    examples: statistics.examples,
    options: {
      broker: options.broker,
      durationSeconds: options.duration,
      mix: options.own ? { [options.own.service]: 1 } : Object.fromEntries(options.mix),
      outstanding: options.outstanding,
      ratePerSecond: options.rate,
      timeoutMs: options.timeout,
    },
  };
}

function judge(total: Counts, duplicated: number): { passed: boolean; verdict: string } {
  const { sent, answered, refused, lost, wrong, unfinished } = total;
  if (answered === 0) return { passed: false, verdict: "FAIL: no request was answered." };
  const of = `of ${count(sent)} requests`;
  const faults = Object.entries({ lost, duplicated, wrong })
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${count(value)} ${name}`);
  if (faults.length > 0) return { passed: false, verdict: `FAIL: ${faults.join(", ")} ${of}.` };
  const refusals = refused > 0 ? `${count(refused)} were refused, ` : "";
  const open = unfinished > 0 ? `${count(unfinished)} were unfinished, ` : "";
  const correct = `${count(answered)} ${of} got the correct reply exactly once`;
  return { passed: true, verdict: `PASS: ${refusals}${open}${correct}.` };
}

const row = (counts: Counts, us: Histogram): Row => ({ ...counts, latencyMs: latencyMs(us) });

function latencyMs(us: Histogram): Latency | null {
  if (us.totalCount === 0) return null;
  // A percentile is the upper end of its histogram slot, which may exceed the maximum.
  const at = (percentile: number) =>
    Math.min(us.getValueAtPercentile(percentile), us.maxValue) / 1000;
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: us.maxValue / 1000 };
}

/** Returns the buckets from the first that is not empty to the last. */
function buckets(us: Histogram): Bucket[] {
  const counted = BUCKET_EDGES_MS.slice(1).map((toMs, at) => ({
    fromMs: BUCKET_EDGES_MS[at] ?? 0,
    toMs,
    count: 0,
  }));
  let at = 0;
  for (let slot = 0; slot < us.countsArrayLength; slot++) {
    const ms = us.valueFromIndex(slot) / 1000;
    while (ms >= (counted[at]?.toMs ?? Infinity)) at++;
    const bucket = counted[at];
    if (bucket) bucket.count += us.getCountAtIndex(slot);
  }
  const filled = ({ count }: Bucket) => count > 0;
  return counted.slice(counted.findIndex(filled), counted.findLastIndex(filled) + 1);
}

// Round numbers, each about 1.5 times the previous one.
const BUCKET_EDGES_MS = [
  0,
  ...[0.1, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000].flatMap((ms) =>
    [1, 1.5, 2, 3, 5, 7].map((edge) => Number((edge * ms).toPrecision(2))),
  ),
];
