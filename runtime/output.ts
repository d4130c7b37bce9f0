/** Ends the process without an error when the reader of its output has stopped, as `head` does. */
export function endWithReader() {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(141); // As SIGPIPE would.
  });
}
