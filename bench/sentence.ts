import { basename } from "node:path";
import { fail } from "../runtime/fail.ts";

/** From now on whatever goes wrong ends the program with exit code 1 and one sentence. */
export function endWithSentence() {
  process.on("uncaughtException", sayAndEnd);
}

export function sayAndEnd(error: Error): never {
  fail(basename(process.argv[1] ?? "", ".ts"), error.message);
}
