// A mutant: a small change of one file that breaks a rule, and with which a test must fail.

export type Mutant = {
  /** The broken rule, as a sentence about what the program now does wrong. */
  rule: string;
  file: string;
  /** Text that occurs exactly once in the file. */
  find: string;
  replace: string;
};

/** The source with the mutant applied, or the reason why it does not apply. */
export function mutated(source: string, { find, replace }: Mutant): string | { reason: string } {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined) return { reason: "its text does not occur" };
  if (more.length > 0) return { reason: "its text occurs more than once" };
  return before + replace + after;
}
