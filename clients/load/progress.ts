// Shows a run while it goes on: a bar on a terminal, elsewhere one statistics line per interval.

import { SingleBar } from "cli-progress";
import { count, digits, elapsed } from "./format.ts";
import { type Options, servicesOf } from "./options.ts";
import type { LoadedClient } from "./outcome.ts";
import { type Counts, type Interval, outstanding, type Statistics } from "./statistics.ts";

/**
 * The state of a run. Rate and latencies are those of the last interval, counts those of the run.
 */
export type Snapshot = Interval & {
  seconds: number; // Since the start.
  counts: Counts;
  retried: number;
  duplicated: number;
  stopping: boolean;
};

/** Shows the progress of a run. Returns a function that ends the display. */
export function showProgress(
  options: Options,
  statistics: Statistics,
  client: LoadedClient,
  stop: AbortSignal,
): () => void {
  const start = performance.now();
  const takeSnapshot = (): Snapshot => {
    const now = performance.now();
    const counts = statistics.counts();
    return {
      ...statistics.takeInterval(now),
      seconds: (now - start) / 1000,
      counts,
      retried: client.retries + counts.timedOut,
      duplicated: client.unmatchedReplies.duplicate,
      stopping: stop.aborted,
    };
  };
  return process.stderr.isTTY
    ? showBar(takeSnapshot, options.duration)
    : showLines(takeSnapshot, options);
}

function showLines(takeSnapshot: () => Snapshot, options: Options) {
  const { every, json } = options;
  const out = json ? process.stderr : process.stdout;
  const name = json ? "" : "load: ";
  if (!json) out.write(`${name}${headline(options)}\n`);
  const write = () => out.write(`${name}${statisticsLine(takeSnapshot())}\n`);
  const timer = setInterval(write, every * 1000);
  return () => clearInterval(timer);
}

function showBar(takeSnapshot: () => Snapshot, duration: number) {
  const bar = new SingleBar({
    format: duration > 0 ? "{bar} {text}" : "{text}",
    barsize: 20,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    linewrap: true, // Without it, a killed run leaves line wrapping turned off.
  });
  const draw = () => {
    const snapshot = takeSnapshot();
    bar.update(Math.min(snapshot.seconds, duration), { text: barText(snapshot, duration) });
  };
  bar.start(duration, 0, { text: "" });
  const timer = setInterval(draw, BAR_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    bar.stop();
  };
}

type Sent = Pick<Options, "rate" | "outstanding" | "mix" | "own" | "every">;

/** Returns the sentence before the lines: what the run does. */
export function headline(options: Sent): string {
  const { rate, outstanding, own, every } = options;
  const load =
    rate === null
      ? `${count(outstanding)} requests at a time`
      : `${count(rate)} requests per second`;
  const services = servicesOf(options).join(", ");
  const replies = own ? "counts the replies" : "checks each reply";
  return `sends ${load} to ${services}, and ${replies}; one line per ${every} s`;
}

/** Returns one line: time, rate, latencies and the count of each outcome. */
export function statisticsLine(snapshot: Snapshot): string {
  const { counts } = snapshot;
  return [
    elapsed(snapshot.seconds),
    `${count(Math.round(snapshot.perSecond))} req/s`,
    `answered ${count(counts.answered)}`,
    `p50 ${latency(snapshot.p50Us)}`,
    `p99 ${latency(snapshot.p99Us)}`,
    `retried ${count(snapshot.retried)}`,
    `refused ${count(counts.refused)}`,
    `lost ${count(counts.lost)}`,
    `duplicated ${count(snapshot.duplicated)}`,
    `wrong ${count(counts.wrong)}`,
    ...(snapshot.stopping ? [stopping(counts)] : []),
  ].join("  ");
}

/** Returns the text beside the bar. Without faults it fits a terminal of 80 columns. */
export function barText(snapshot: Snapshot, duration: number): string {
  const { counts } = snapshot;
  const faults = {
    retried: snapshot.retried,
    refused: counts.refused,
    duplicated: snapshot.duplicated,
  };
  return [
    elapsed(snapshot.seconds) + (duration > 0 ? ` of ${elapsed(duration)}` : ""),
    `${count(Math.round(snapshot.perSecond))} req/s`,
    `answered ${count(counts.answered)}`,
    `lost ${count(counts.lost)}`,
    ...Object.entries({ ...faults, wrong: counts.wrong })
      .filter(([, value]) => value > 0)
      .map(([name, value]) => `${name} ${count(value)}`),
    ...(snapshot.stopping ? [stopping(counts)] : []),
  ].join("  ");
}

/** Returns a latency; 0 µs means that the interval had no reply. */
const latency = (us: number) => (us === 0 ? "–" : `${digits(us / 1000)} ms`);

const stopping = (counts: Counts) => `stopping, ${count(outstanding(counts))} outstanding`;

const BAR_INTERVAL_MS = 500;
