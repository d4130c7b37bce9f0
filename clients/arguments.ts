// Arguments that the client programs have in common.

import { InvalidArgumentError } from "commander";
import { brokerEndpoint } from "../runtime/settings.ts";

/** Returns the endpoint in an argument. Throws commander's InvalidArgumentError for other text. */
export function endpoint(value: string): string {
  const read = brokerEndpoint(value);
  if ("value" in read) return read.value;
  throw new InvalidArgumentError(`It is not ${read.expected}.`);
}

/** Commander's output settings: each error is one line that starts with the program's name. */
export const inOneLine = (program: string) => ({
  outputError: (text: string, write: (line: string) => void) =>
    write(
      `${text
        .trim()
        .replace(/^error:/, `${program}:`)
        .replaceAll(/\s*\n\s*/g, " ")}\n`,
    ),
});
