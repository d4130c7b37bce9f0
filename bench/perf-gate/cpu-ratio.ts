// Compares the CPU time of two pieces of work on a busy machine, in short slices that take turns. A
// disturbance only adds to the CPU time of a slice, so the cheap slices show the cost of the work.
// The ratio uses the lower quartile, because the very least is chance.

/** Does a fixed amount of work. */
export type Slice = () => void | Promise<void>;

/** The CPU time of `work` divided by that of `baseline`, over all threads. */
export async function cpuRatio(work: Slice, baseline: Slice, slices: number): Promise<number> {
  for (let warmup = 0; warmup < slices / 2; warmup += 1) {
    await work();
    await baseline();
  }
  const costs: { work: number[]; baseline: number[] } = { work: [], baseline: [] };
  for (let turn = 0; turn < slices; turn += 1) {
    costs.work.push(await cost(work));
    costs.baseline.push(await cost(baseline));
  }
  return lowerQuartile(costs.work) / lowerQuartile(costs.baseline);
}

/** A quarter of the values are less than this one. */
export const lowerQuartile = (values: number[]) =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 4)] ?? Number.NaN;

async function cost(slice: Slice): Promise<number> {
  // Of the whole process: Linux counts the time of a single thread in coarse timer ticks.
  const before = process.cpuUsage();
  await slice();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
