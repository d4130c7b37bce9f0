// A histogram of durations, with the same buckets in every program.

/** The upper bounds of the buckets of a distribution, in ms. One more bucket has no bound. */
export const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/** A histogram of durations. */
export class Distribution {
  /** The durations in each bucket, without those of the buckets below it. */
  readonly counts = [...BOUNDS_MS, Infinity].map(() => 0);
  /** The sum of all durations, in ms. */
  sumMs = 0;

  /** Counts a duration, in ms. */
  add(ms: number) {
    let nth = 0;
    while (nth < BOUNDS_MS.length && ms > (BOUNDS_MS[nth] ?? 0)) nth += 1;
    this.counts[nth] = (this.counts[nth] ?? 0) + 1;
    this.sumMs += ms;
  }
}
