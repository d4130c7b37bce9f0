// The sum of many runs.

import type { Verdict } from "../history.ts";
import { FAULTS, type Fault } from "./fault.ts";
import type { Run } from "./simulation.ts";
import { Sightings } from "./sometimes.ts";

/** The outcomes of requests; together they make up all requests. */
export const OUTCOMES = ["answered", "refused", "unknown", "abandoned", "lost"] as const;

export class Tally {
  runs = 0;
  simulatedMs = 0;
  requests = 0;
  readonly outcomes: Record<(typeof OUTCOMES)[number], number> = {
    answered: 0,
    refused: 0,
    unknown: 0,
    abandoned: 0,
    lost: 0,
  };
  #recoveriesMs: number[] = [];
  executions = 0;
  executedAgain = 0;
  readonly faults = new Map<Fault, number>(FAULTS.map((fault) => [fault, 0]));
  readonly sightings = new Sightings();
  readonly failed: { seed: number; violation: string }[] = [];

  add({ seed, verdict, faults, sightings, violation, simulatedMs, recoveryMs }: Run) {
    this.runs += 1;
    this.#recoveriesMs.push(recoveryMs);
    this.simulatedMs += simulatedMs;
    this.#addVerdict(verdict);
    for (const [fault, count] of faults)
      this.faults.set(fault, (this.faults.get(fault) ?? 0) + count);
    this.sightings.add(sightings);
    if (violation !== null) this.failed.push({ seed, violation });
  }

  /** Returns the ms within which this share of the runs had all workers back. */
  recoveryMs(share: number): number {
    const sorted = this.#recoveriesMs.toSorted((one, other) => one - other);
    return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  }

  /** The events that so many runs must show, but did not. */
  get missing(): string[] {
    return this.runs >= ENOUGH_RUNS ? this.sightings.missing : [];
  }

  get passed(): boolean {
    return this.failed.length === 0 && this.missing.length === 0;
  }

  #addVerdict(verdict: Verdict) {
    this.requests += verdict.asked;
    this.executions += verdict.executions;
    this.executedAgain += verdict.executedAgain;
    for (const outcome of OUTCOMES) this.outcomes[outcome] += verdict[outcome];
  }
}

/** After this many runs, every event of SIGHTS must have happened. */
const ENOUGH_RUNS = 500;
