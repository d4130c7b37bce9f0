// All that was measured, and what could not be.

import { medians, ratio } from "./figures.ts";
import type { Sample } from "./part.ts";

/** What one run gave; null if it failed. */
export type Run = { part: string; column: string; subject: string; sample: Sample | null };

export class Results {
  readonly runs: Run[] = []; // In the order of the rounds.
  readonly notRun: string[] = []; // A sentence each: whose software is missing, what to install.
  readonly failed: string[] = []; // A sentence each.

  /** The median of each figure, or null if no round succeeded. */
  medians(part: string, column: string, subject: string): Sample | null {
    const whole = this.#rounds(part, column, subject).filter((sample) => sample !== null);
    return whole.length === 0 ? null : medians(whole);
  }

  /** How many times the figure of one subject is that of another. NaN if one was not measured. */
  ratio(part: string, column: string, figure: string, subject: string, other: string): number {
    return ratio(
      this.#figures(part, column, figure, subject),
      this.#figures(part, column, figure, other),
    );
  }

  /** How many times a subject's figure in one column is that in another. */
  growth(part: string, figure: string, subject: string, column: string, first: string): number {
    return ratio(
      this.#figures(part, column, figure, subject),
      this.#figures(part, first, figure, subject),
    );
  }

  #figures(part: string, column: string, figure: string, subject: string) {
    return this.#rounds(part, column, subject).map((sample) => sample?.[figure] ?? null);
  }

  #rounds(part: string, column: string, subject: string) {
    const its = (run: Run) => run.part === part && run.column === column && run.subject === subject;
    return this.runs.filter(its).map(({ sample }) => sample);
  }
}
