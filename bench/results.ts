// All measurements, and the runs that failed or could not start.

import type { Sample } from "./section.ts";
import { medians, ratio } from "./statistics.ts";

/** One run of a system. `sample` is null if the run failed. */
export type Run = { section: string; column: string; system: string; sample: Sample | null };

export class Results {
  /** In the order of the rounds. */
  readonly runs: Run[] = [];
  /** A sentence per system whose packages are missing. */
  readonly notRun: string[] = [];
  /** A sentence per failed run. */
  readonly failed: string[] = [];

  /** The median of each figure, or null if no round succeeded. */
  medians(section: string, column: string, system: string): Sample | null {
    const succeeded = this.#rounds(section, column, system).filter((sample) => sample !== null);
    return succeeded.length === 0 ? null : medians(succeeded);
  }

  /** A figure of one system divided by that of another. NaN if either was not measured. */
  ratio(section: string, column: string, figure: string, system: string, other: string): number {
    return ratio(
      this.#figures(section, column, figure, system),
      this.#figures(section, column, figure, other),
    );
  }

  /** A system's figure in one column divided by that in the `first` one. */
  growth(section: string, figure: string, system: string, column: string, first: string): number {
    return ratio(
      this.#figures(section, column, figure, system),
      this.#figures(section, first, figure, system),
    );
  }

  #figures(section: string, column: string, figure: string, system: string) {
    return this.#rounds(section, column, system).map((sample) => sample?.[figure] ?? null);
  }

  #rounds(section: string, column: string, system: string) {
    const matches = (run: Run) =>
      run.section === section && run.column === column && run.system === system;
    return this.runs.filter(matches).map(({ sample }) => sample);
  }
}
