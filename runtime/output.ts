/** Ends the process quietly when whoever read its output has stopped, as `head` does. */
export function endWithReader() {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(141); // As if by SIGPIPE.
  });
}
