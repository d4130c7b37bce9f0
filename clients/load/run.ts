// One run: it starts requests until the stop signal. A drain follows, in which the outstanding
// requests have all their tries and get their outcomes.

import { once } from "node:events";
import type { Options } from "./options.ts";
import { type LoadedClient, outcomeOf } from "./outcome.ts";
import { keepStarting, Pace } from "./schedule.ts";
import { outstanding, type Statistics } from "./statistics.ts";
import { OwnWorkload, type Requests, Workload } from "./workload.ts";

/** The facts of a run that the statistics do not have. */
export type Run = {
  startedAt: Date;
  /** The start of the drain. */
  stoppedAt: Date;
  /** Until the drain. */
  answeredPerSecond: number;
  /** Requests that were due by then, but exceeded the limit of outstanding requests. */
  notStarted: number;
};

/**
 * Resolves when `statistics` has the outcome of every request, and closes the client. At the signal
 * `leave` it closes the client at once, and the outstanding requests count as unfinished.
 */
export async function run(
  client: LoadedClient,
  options: Pick<Options, "mix" | "own" | "rate" | "outstanding" | "timeout">,
  statistics: Statistics,
  stop: AbortSignal,
  leave: AbortSignal,
): Promise<Run> {
  const startedAt = new Date();
  const start = performance.now();
  const workload: Requests = options.own ? new OwnWorkload(options.own) : new Workload(options.mix);
  const pace = new Pace(options.rate, start);
  const ended = keepStarting(pace, options.outstanding, stop, async (intendedAt) => {
    const exchange = workload.next();
    const { service } = exchange;
    statistics.sent(service);
    const onRetry = () => statistics.retried(service);
    const outcome = await outcomeOf(client, exchange, options.timeout, onRetry);
    statistics.ended(service, outcome, performance.now() - intendedAt);
  });
  await Promise.race([ended, once(stop, "abort")]);

  const now = performance.now();
  const counts = statistics.counts();
  const isAtLimit = outstanding(counts) === options.outstanding;
  const facts = {
    startedAt,
    stoppedAt: new Date(),
    answeredPerSecond: (counts.answered / (now - start)) * 1000,
    notStarted: isAtLimit ? pace.behind(now) : 0,
  };
  // A closed client rejects the outstanding requests.
  if (leave.aborted) client.close();
  else leave.addEventListener("abort", () => client.close(), { once: true });
  await ended;
  client.close();
  return facts;
}
