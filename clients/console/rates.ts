// Rates and latencies from counters. A counter only grows while its broker runs, so a rate is the
// difference of two readings.

import type { Counters } from "./readings.ts";

/** The replies of one service in a span of time. */
export type Activity = {
  /** Requests that ended with a reply. */
  answered: number;
  /** The same requests by bucket of their duration. */
  durations: number[];
};

export const NO_ACTIVITY: Readonly<Activity> = { answered: 0, durations: [] };

/** The activity between two readings of one incarnation. Null before: since the start of the broker. */
export function activityBetween(before: Counters | null, after: Counters): Activity {
  const durations = after.durations.map((count, nth) => count - (before?.durations[nth] ?? 0));
  return { answered: answeredOf(after) - (before ? answeredOf(before) : 0), durations };
}

/** The sum of activities of one service, at several brokers or over several spans. */
export function sumOf(activities: Iterable<Activity>): Activity {
  const sum: Activity = { answered: 0, durations: [] };
  for (const { answered, durations } of activities) {
    sum.answered += answered;
    for (const [nth, count] of durations.entries())
      sum.durations[nth] = (sum.durations[nth] ?? 0) + count;
  }
  return sum;
}

/**
 * The quantile `q` (0 to 1) in ms, interpolated within its bucket. Null without a duration. The last
 * bucket has no upper bound, so a quantile in it is its lower bound.
 */
export function quantileOf(durations: number[], boundsMs: number[], q: number): number | null {
  const total = durations.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  const rank = q * total;
  let below = 0;
  for (const [nth, count] of durations.entries()) {
    const [lower, upper] = [boundsMs[nth - 1] ?? 0, boundsMs[nth]];
    if (below + count >= rank && count > 0)
      return upper === undefined ? lower : lower + ((upper - lower) * (rank - below)) / count;
    below += count;
  }
  return boundsMs.at(-1) ?? null;
}

const answeredOf = ({ ended }: Counters) => (ended.answered ?? 0) + (ended.failed ?? 0);
