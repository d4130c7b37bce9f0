// Carries out a plan: rounds in which all take their turns, so that what happens to the machine
// meanwhile happens to all of them.

import type { Part, Sample, Subject } from "./part.ts";
import type { Progress } from "./progress.ts";
import type { Results } from "./results.ts";

export async function measureAll(parts: Part[], results: Results, progress: Progress) {
  const ready = onlyThoseThere(parts, results, progress);
  for (const part of ready) {
    const given = new Set<string>(); // What failed once is not tried again.
    for (let round = 0; round < part.rounds; round += 1) {
      for (const [column, subject] of turnsOf(part)) {
        const name = `${part.title}, ${column}, ${subject.name}`;
        const sample = given.has(name) ? null : await run(name, column, subject, results, progress);
        if (!sample) given.add(name);
        results.runs.push({ part: part.title, column, subject: subject.name, sample });
      }
    }
  }
}

/** How many runs that is. */
export const runsOf = (part: Part) => part.rounds * turnsOf(part).length;

const turnsOf = ({ columns, subjects }: Part) =>
  columns.flatMap((column) =>
    subjects
      .filter((subject) => subject.takesPart(column))
      .map((subject): [string, Subject] => [column, subject]),
  );

async function run(
  name: string,
  column: string,
  subject: Subject,
  { failed }: Results,
  progress: Progress,
): Promise<Sample | null> {
  progress.begun(name);
  try {
    const sample = await subject.run(column);
    const { perSecond, errors } = sample;
    if (errors) throw new Error(`${errors} requests were not answered rightly`);
    progress.ended(name, perSecond ? `${Math.round(perSecond).toLocaleString("en-US")}/s` : "done");
    return sample;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    failed.push(`${name}: ${why}`);
    progress.ended(name, "failed");
    progress.say(`FAILED: ${name}: ${why}`);
    return null;
  }
}

/** The parts without those whose software is missing, of whom it is told. */
function onlyThoseThere(parts: Part[], { notRun }: Results, progress: Progress): Part[] {
  const told = new Set<string>();
  return parts.map((part) => ({
    ...part,
    subjects: part.subjects.filter((subject) => {
      const missing = subject.missing();
      if (missing !== null && !told.has(subject.name)) {
        told.add(subject.name);
        notRun.push(`${subject.name}: ${missing}`);
        progress.say(`NOT RUN: ${subject.name}: ${missing}`);
      }
      return missing === null;
    }),
  }));
}
