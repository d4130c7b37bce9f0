// What is seen while a run goes on: a bar on a terminal, elsewhere a line now and then.

import { SingleBar } from "cli-progress";
import { count, digits, elapsed } from "./format.ts";
import type { Options } from "./options.ts";
import type { LoadedClient } from "./outcome.ts";
import { type Counts, outstanding, type Recent, type Tally } from "./tally.ts";

/** The run as it stands. Rate and latency are of the last interval, the counts of all of it. */
export type Moment = Recent & {
  seconds: number; // Since the start.
  counts: Counts;
  retried: number;
  duplicated: number;
  stopping: boolean;
};

/** Shows the progress of a run until the function that is returned is called. */
export function showProgress(
  options: Options,
  tally: Tally,
  client: LoadedClient,
  stop: AbortSignal,
): () => void {
  const start = performance.now();
  const moment = (): Moment => {
    const now = performance.now();
    const counts = tally.counts();
    return {
      ...tally.takeRecent(now),
      seconds: (now - start) / 1000,
      counts,
      retried: client.retries + counts.timedOut,
      duplicated: client.unmatchedReplies.duplicate,
      stopping: stop.aborted,
    };
  };
  return process.stderr.isTTY ? showBar(moment, options.duration) : showLines(moment, options);
}

function showLines(moment: () => Moment, { every, json }: Options) {
  const out = json ? process.stderr : process.stdout;
  const timer = setInterval(() => out.write(`${statistics(moment())}\n`), every * 1000);
  return () => clearInterval(timer);
}

function showBar(moment: () => Moment, duration: number) {
  const bar = new SingleBar({
    format: duration > 0 ? "{bar} {text}" : "{text}",
    barsize: 20,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    clearOnComplete: true,
    linewrap: true, // Otherwise a run that is killed leaves the terminal without line wrapping.
  });
  const draw = () => {
    const now = moment();
    bar.update(Math.min(now.seconds, duration), { text: barText(now, duration) });
  };
  bar.start(duration, 0, { text: "" });
  const timer = setInterval(draw, BAR_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    bar.stop();
  };
}

export function statistics(moment: Moment): string {
  const { counts } = moment;
  return [
    elapsed(moment.seconds),
    `${count(Math.round(moment.perSecond))} req/s`,
    `answered ${count(counts.answered)}`,
    `p50 ${latency(moment.p50Us)}`,
    `p99 ${latency(moment.p99Us)}`,
    `retried ${count(moment.retried)}`,
    `refused ${count(counts.refused)}`,
    `lost ${count(counts.lost)}`,
    `duplicated ${count(moment.duplicated)}`,
    `wrong ${count(counts.wrong)}`,
    ...(moment.stopping ? [stopping(counts)] : []),
  ].join("  ");
}

/** Short enough for a terminal of 80 columns as long as all is well. */
export function barText(moment: Moment, duration: number): string {
  const { counts } = moment;
  const bad = { retried: moment.retried, refused: counts.refused, duplicated: moment.duplicated };
  return [
    elapsed(moment.seconds) + (duration > 0 ? ` of ${elapsed(duration)}` : ""),
    `${count(Math.round(moment.perSecond))} req/s`,
    `answered ${count(counts.answered)}`,
    `lost ${count(counts.lost)}`,
    ...Object.entries({ ...bad, wrong: counts.wrong })
      .filter(([, value]) => value > 0)
      .map(([name, value]) => `${name} ${count(value)}`),
    ...(moment.stopping ? [stopping(counts)] : []),
  ].join("  ");
}

/** Nothing was answered within 0 µs. */
const latency = (us: number) => (us === 0 ? "–" : `${digits(us / 1000)} ms`);

const stopping = (counts: Counts) => `stopping, ${count(outstanding(counts))} outstanding`;

const BAR_INTERVAL_MS = 500;
