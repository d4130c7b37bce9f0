// A part of the page: who was measured, at what, and how often.

/** What one run gave, by the names of its figures. */
export type Sample = Record<string, number>;

export type Part = {
  title: string;
  about: string; // What is measured, in Markdown.
  view: "load" | "growth" | "depth" | "idle";
  reference: string | null; // The subject whose figures the others are divided by.
  rounds: number;
  columns: string[];
  subjects: Subject[];
};

export type Subject = {
  name: string;
  /** What has to be installed first, as a sentence; null: nothing. */
  missing(): string | null;
  takesPart(column: string): boolean;
  run(column: string): Promise<Sample>;
};
