// What the command lines of the client programs have in common.

import { InvalidArgumentError } from "commander";
import { brokerEndpoint } from "../runtime/settings.ts";

/** The endpoint that an argument is. Throws commander's error for what is none. */
export function endpoint(value: string): string {
  const parsed = brokerEndpoint.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`It is not ${parsed.error.issues[0]?.message}.`);
}

/** An error of commander's, which may add a suggestion, as one line in the program's name. */
export const inOneLine = (program: string) => ({
  outputError: (text: string, write: (line: string) => void) =>
    write(
      `${text
        .trim()
        .replace(/^error:/, `${program}:`)
        .replaceAll(/\s*\n\s*/g, " ")}\n`,
    ),
});
