/** Ends the program with exit code 1 and one line that says why. */
export function fail(program: string, sentence: string): never {
  process.stderr.write(`${program}: ${sentence}\n`);
  process.exit(1);
}
