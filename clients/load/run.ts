// One run: requests until it is stopped, then a drain, in which those outstanding may still get
// their outcome.

import { once } from "node:events";
import type { Options } from "./options.ts";
import { type LoadedClient, outcomeOf } from "./outcome.ts";
import { keepStarting, Pace } from "./schedule.ts";
import { outstanding, type Tally } from "./tally.ts";
import { Workload } from "./workload.ts";

export type Run = {
  startedAt: Date;
  stoppedAt: Date; // When the drain began.
  answeredPerSecond: number; // Before the drain.
  notStarted: number; // What a fixed rate asked for by then, and too many outstanding held back.
};

/** Resolves once every request has its outcome in the tally. The client is closed by then. */
export async function run(
  client: LoadedClient,
  options: Pick<Options, "mix" | "rate" | "outstanding" | "timeout">,
  tally: Tally,
  stop: AbortSignal,
): Promise<Run> {
  const startedAt = new Date();
  const start = performance.now();
  const workload = new Workload(options.mix);
  const pace = new Pace(options.rate, start);
  const ended = keepStarting(pace, options.outstanding, stop, async (intendedAt) => {
    const exchange = workload.next();
    const { service } = exchange;
    tally.send(service);
    const askAgain = () => tally.askAgain(service);
    const outcome = await outcomeOf(client, exchange, options.timeout, askAgain);
    tally.end(service, outcome, performance.now() - intendedAt);
  });
  await Promise.race([ended, once(stop, "abort")]);

  const now = performance.now();
  const counts = tally.counts();
  const heldBack = outstanding(counts) === options.outstanding;
  const facts = {
    startedAt,
    stoppedAt: new Date(),
    answeredPerSecond: (counts.answered / (now - start)) * 1000,
    notStarted: heldBack ? pace.behind(now) : 0,
  };
  // What the closed client has not answered by then is lost.
  const drain = setTimeout(() => client.close(), options.timeout);
  await ended;
  clearTimeout(drain);
  client.close();
  return facts;
}
