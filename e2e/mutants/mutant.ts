// A rule broken on purpose: a small change of one file that no test may let pass.

export type Mutant = {
  rule: string; // What is broken by it, as a sentence.
  file: string;
  find: string; // What stands exactly once in the file.
  replace: string; // What stands there instead.
};

/** The file with the mutant in it, or why that cannot be. */
export function mutated(source: string, { find, replace }: Mutant): string | { wrong: string } {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined)
    return { wrong: "what it replaces is not there" };
  if (more.length > 0) return { wrong: "what it replaces is there more than once" };
  return before + replace + after;
}
