// The text of a summary of many runs, and of a failed run.

import { count, digits, elapsed } from "../../clients/load/format.ts";
import type { Run } from "./simulation.ts";
import { OUTCOMES, type Tally } from "./tally.ts";

export function summary(tally: Tally, from: number, seconds: number): string {
  const { runs, failed, missing } = tally;
  const perRun = digits(tally.simulatedMs / 1000 / Math.max(runs, 1));
  const recoveries = [0.5, 0.99, 1]
    .map((share) => digits(tally.recoveryMs(share) / 1000))
    .join(", ");
  return [
    `${count(runs)} seeds from ${from} on in ${elapsed(seconds)}, ${digits(runs / seconds)} per second`,
    `mean simulated time per seed: ${perRun} s`,
    `all workers registered within ${recoveries} s of the last fault (50, 99 and 100 % of the seeds)\n`,
    table("requests", [["asked", tally.requests], ...outcomes(tally)]),
    table("faults", [...tally.faults]),
    table("seen", [...tally.sightings.counts]),
    ...missing.map((sight) => `Never seen, but expected: ${sight}.`),
    failed.length === 0 ? "No violation." : failures(tally),
  ].join("\n");
}

/** Returns the violation, the replay command and the end of the trace. */
export function failure({ seed, violation, trace, configuration }: Run, lines: number): string {
  const tail = trace.slice(-lines);
  return [
    `Seed ${seed}: ${violation}`,
    `Replay: SEED=${seed} npm run simulate`,
    `Configuration: ${JSON.stringify(configuration)}`,
    `The last ${tail.length} of ${trace.length} lines:`,
    ...tail.map((line) => `  ${line}`),
  ].join("\n");
}

function failures({ failed }: Tally): string {
  const shown = failed
    .slice(0, SEEDS_SHOWN)
    .map(({ seed, violation }) => `  ${seed}  ${violation}`);
  const more =
    failed.length > SEEDS_SHOWN ? [`  and ${count(failed.length - SEEDS_SHOWN)} more`] : [];
  return [`${count(failed.length)} seeds with violations:`, ...shown, ...more].join("\n");
}

function outcomes({ outcomes, executions, executedAgain }: Tally): [string, number][] {
  return [
    ...OUTCOMES.map((outcome): [string, number] => [outcome, outcomes[outcome]]),
    ["executions", executions],
    ["executed again", executedAgain],
  ];
}

function table(heading: string, rows: [string, number][]): string {
  const line = ([name, value]: [string, number]) =>
    `${count(value).padStart(COUNT_WIDTH)}  ${name}`;
  return [`${heading}:`, ...rows.map(line), ""].join("\n");
}

const SEEDS_SHOWN = 20;
const COUNT_WIDTH = 14;
