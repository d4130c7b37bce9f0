// The facts of a finished run: as they are for programs (--json), and in page.ts for people.

import { count } from "./format.ts";
import type { Options } from "./options.ts";
import type { LoadedClient } from "./outcome.ts";
import type { Run } from "./run.ts";
import type { Counts, Example, Histogram, Tally } from "./tally.ts";

export type Report = {
  passed: boolean;
  verdict: string;
  startedAt: Date;
  stoppedAt: Date;
  endedAt: Date; // After the drain.
  answeredPerSecond: number;
  total: Row & { duplicated: number }; // Of a duplicated reply, the service is not known.
  services: Record<string, Row>;
  latencyHistogram: Bucket[];
  resent: number; // How often the client asked again by itself: the broker was silent, gone or closing.
  lateReplies: number; // To requests that had timed out.
  notStarted: number; // How far the run was behind its rate when it ended.
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

export type Row = Counts & { latencyMs: Latency | null };
export type Latency = { p50: number; p90: number; p99: number; p999: number; max: number };

/** Latencies from `fromMs` up to but not including `toMs`. */
export type Bucket = { fromMs: number; toMs: number; count: number };

export function makeReport(options: Options, run: Run, tally: Tally, client: LoadedClient): Report {
  const total = tally.counts();
  const { duplicate, late } = client.unmatchedReplies;
  const latencyUs = tally.latencyUs();
  const services = [...tally.services].map(([name, { counts, latencyUs }]) => [
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
    examples: tally.examples,
    options: {
      broker: options.broker,
      durationSeconds: options.duration,
      mix: Object.fromEntries(options.mix),
      outstanding: options.outstanding,
      ratePerSecond: options.rate,
      timeoutMs: options.timeout,
    },
  };
}

function judge(total: Counts, duplicated: number): { passed: boolean; verdict: string } {
  const { sent, answered, refused, lost, wrong } = total;
  if (answered === 0) return { passed: false, verdict: "Failed: no request was answered." };
  const of = `of ${count(sent)} requests`;
  const faults = Object.entries({ lost, duplicated, wrong })
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${count(value)} ${name}`);
  if (faults.length > 0) return { passed: false, verdict: `Failed: ${faults.join(", ")} ${of}.` };
  const refusals = refused > 0 ? `${count(refused)} were refused, ` : "";
  const right = `${count(answered)} ${of} had their right reply, once`;
  return { passed: true, verdict: `Passed: ${refusals}${right}.` };
}

const row = (counts: Counts, us: Histogram): Row => ({ ...counts, latencyMs: latencyMs(us) });

function latencyMs(us: Histogram): Latency | null {
  if (us.totalCount === 0) return null;
  // A percentile is the upper end of its slot in the histogram, which may lie above the maximum.
  const at = (percentile: number) =>
    Math.min(us.getValueAtPercentile(percentile), us.maxValue) / 1000;
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: us.maxValue / 1000 };
}

/** From the first bucket with a reply in it to the last. */
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

// Each about 1.5 times the one before, and round.
const BUCKET_EDGES_MS = [
  0,
  ...[0.1, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000].flatMap((ms) =>
    [1, 1.5, 2, 3, 5, 7].map((edge) => Number((edge * ms).toPrecision(2))),
  ),
];
