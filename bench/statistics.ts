// Medians and ratios over several rounds.

/** The middle value, or the mean of the two in the middle. NaN for an empty list. */
export function median(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** The median of each figure over the rounds. Throws a RangeError if there is no round. */
export function medians<Named extends Record<string, number>>(rounds: Named[]): Named {
  const [first] = rounds;
  if (!first) throw new RangeError("there is no round");
  const names = Object.keys(first);
  const of = (name: string) => median(rounds.map((round) => round[name] as number));
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Named;
}

/**
 * The median of the rounds' ratios, NaN if no round has both values. A disturbance of the machine
 * slows down both runs of a round, so it cancels out in their ratio.
 */
export function ratio(ofRounds: (number | null)[], toRounds: (number | null)[]): number {
  const ratios = ofRounds.flatMap((value, round) => {
    const other = toRounds[round];
    return value === null || other === null || other === undefined ? [] : [value / other];
  });
  return median(ratios);
}
