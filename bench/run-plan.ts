// Runs all sections of a plan. In each round all systems take turns, so that a disturbance of the
// machine affects all of them.

import type { Results } from "./results.ts";
import type { Progress } from "./run-progress.ts";
import type { Entry, Sample, Section } from "./section.ts";

/** Adds each run to `results`. A run that fails is a sentence there, and is not repeated. */
export async function runPlan(sections: Section[], results: Results, progress: Progress) {
  for (const section of withoutMissing(sections, results, progress)) {
    const failed = new Set<string>();
    for (let round = 0; round < section.rounds; round += 1) {
      for (const [column, entry] of turnsOf(section)) {
        const name = `${section.title}, ${column}, ${entry.name}`;
        const sample = failed.has(name)
          ? null
          : await runOnce(name, column, entry, results, progress);
        if (!sample) failed.add(name);
        results.runs.push({ section: section.title, column, system: entry.name, sample });
      }
    }
  }
}

/** The number of runs of a section. */
export const runsOf = (section: Section) => section.rounds * turnsOf(section).length;

const turnsOf = ({ columns, entries }: Section) =>
  columns.flatMap((column) =>
    entries
      .filter((entry) => entry.takesPart(column))
      .map((entry): [string, Entry] => [column, entry]),
  );

async function runOnce(
  name: string,
  column: string,
  entry: Entry,
  { failed }: Results,
  progress: Progress,
): Promise<Sample | null> {
  progress.begun(name);
  try {
    const sample = await entry.run(column);
    const { perSecond, errors } = sample;
    if (errors) throw new Error(`${errors} requests got no reply or a wrong one`);
    progress.ended(name, perSecond ? `${Math.round(perSecond).toLocaleString("en-US")}/s` : "done");
    return sample;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    failed.push(`${name}: ${reason}`);
    progress.ended(name, "failed");
    progress.warn(`FAILED: ${name}: ${reason}`);
    return null;
  }
}

/** The sections without the systems whose packages are missing. Reports each of these once. */
function withoutMissing(sections: Section[], { notRun }: Results, progress: Progress): Section[] {
  const reported = new Set<string>();
  return sections.map((section) => ({
    ...section,
    entries: section.entries.filter((entry) => {
      const missing = entry.missing();
      if (missing !== null && !reported.has(entry.name)) {
        reported.add(entry.name);
        notRun.push(`${entry.name}: ${missing}`);
        progress.warn(`NOT RUN: ${entry.name}: ${missing}`);
      }
      return missing === null;
    }),
  }));
}
