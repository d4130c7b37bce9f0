import { basename } from "node:path";
import { fail } from "../runtime/fail.ts";

/** Makes any uncaught error end the program with exit code 1 and one sentence on stderr. */
export function exitOnError() {
  process.on("uncaughtException", exitWithError);
}

/** Ends the program as `exitOnError` describes. */
export function exitWithError(error: Error): never {
  fail(basename(process.argv[1] ?? "", ".ts"), error.message);
}
