// A section of the page: which systems it compares, under which settings, and how often.

/** The figures of one run, by name. */
export type Sample = Record<string, number>;

export type Section = {
  title: string;
  /** An introduction in Markdown. */
  about: string;
  /** Which table and charts the page shows. */
  view: "load" | "growth" | "depth" | "idle";
  /** The entry that the page divides the others by. */
  reference: string | null;
  rounds: number;
  /** Labels of the settings. */
  columns: string[];
  entries: Entry[];
};

/** A system, and how to measure it in each column of a section. */
export type Entry = {
  name: string;
  /** A sentence that names the missing packages, or null if nothing is missing. */
  missing(): string | null;
  takesPart(column: string): boolean;
  run(column: string): Promise<Sample>;
};
