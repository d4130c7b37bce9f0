/**
 * Ends the process without a stack trace when its output cannot be written: silently when the reader
 * has stopped, as `head` does, else with one line. A standard error that cannot be written is ignored.
 */
export function endWithReader(program: string) {
  process.stderr.on("error", () => {});
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code === "EPIPE") process.exit(141); // As SIGPIPE would.
    process.stderr.write(`${program}: cannot write the output (${code ?? message})\n`);
    process.exit(1);
  });
}
