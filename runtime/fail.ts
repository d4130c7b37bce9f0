/** Ends the process with exit code 1 and one line on standard error: `program: sentence`. */
export function fail(program: string, sentence: string): never {
  process.stderr.write(`${program}: ${sentence}\n`);
  process.exit(1);
}
