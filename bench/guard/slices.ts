// How much more CPU time one thing takes than another, on a machine that does other things besides:
// short slices of both in turns. Whatever disturbs a slice only adds to it, so the cheaper ones are
// what the work costs: the lower quartile, since the very least is chance again.

/** Does a fixed amount of work. */
export type Slice = () => void | Promise<void>;

/** How many times as much CPU time `subject` takes as `bare`, all threads together. */
export async function compare(subject: Slice, bare: Slice, slices: number): Promise<number> {
  for (let warmup = 0; warmup < slices / 2; warmup += 1) {
    await subject();
    await bare();
  }
  const costs: { subject: number[]; bare: number[] } = { subject: [], bare: [] };
  for (let nth = 0; nth < slices; nth += 1) {
    costs.subject.push(await cost(subject));
    costs.bare.push(await cost(bare));
  }
  return lowerQuartile(costs.subject) / lowerQuartile(costs.bare);
}

/** A quarter of the values are less than this one. */
export const lowerQuartile = (values: number[]) =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 4)] ?? Number.NaN;

async function cost(slice: Slice): Promise<number> {
  // Not that of this thread alone, which Linux counts in ticks of its timer.
  const before = process.cpuUsage();
  await slice();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
