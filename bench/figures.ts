// What was measured, and what is made of several rounds of it.

export type Figures = {
  perSecond: number; // Requests and their replies.
  p50: number; // Latencies, in µs.
  p99: number;
  p999: number;
  brokerCpu: number; // µs of CPU time a request, as the next two; of all its threads and children.
  workersCpu: number; // All of them together.
  clientCpu: number;
  clientBusy: number; // The part of one core that the load generator took.
  brokerBytes: number; // Resident, at the end, as the next two.
  workersBytes: number; // All of them together.
  clientBytes: number;
  errors: number;
};

/** The middle value, or the mean of the two in the middle. NaN of nothing. */
export function median(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** The median of each figure over the rounds. */
export function medians<Named extends Record<string, number>>(rounds: Named[]): Named {
  const [first] = rounds;
  if (!first) throw new RangeError("there is no round");
  const names = Object.keys(first);
  const of = (name: string) => median(rounds.map((round) => round[name] as number));
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Named;
}

/**
 * The median of the ratios that each round gives, since what slows a machine down for a while slows
 * down all that run in that round. NaN if they have no round in common.
 */
export function ratio(ofRounds: (number | null)[], toRounds: (number | null)[]): number {
  const ratios = ofRounds.flatMap((value, round) => {
    const other = toRounds[round];
    return value === null || other === null || other === undefined ? [] : [value / other];
  });
  return median(ratios);
}
