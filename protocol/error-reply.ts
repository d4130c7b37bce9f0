// The error reply of a service. MDP has no error replies, so ours is an ordinary REPLY of three frames:
//
//   [sentence] ["mmi.error"] [code]
//
// The sentence comes first, so that a peer that does not know this shape shows the sentence to its user.

import type { Frame } from "./frame.ts";

const MARK = Buffer.from("mmi.error");

/** The codes of error replies, with the meanings that they have in HTTP. */
export type ErrorCode = 400 | 404 | 409 | 410 | 413 | 500 | 503;

export type ErrorReply = { code: number; sentence: string };

/** Whether an error reply can carry this code: a whole number from 400 to 599. */
export const isErrorCode = (code: unknown): code is number =>
  Number.isInteger(code) && Number(code) >= 400 && Number(code) <= 599;

/**
 * The body of an error reply. Throws a RangeError if `code` is not a whole number from 400 to 599,
 * because the receiver would take such a body for a success.
 */
export function encodeErrorReply(code: number, sentence: string): Frame[] {
  if (!isErrorCode(code)) throw new RangeError(badErrorCode(code));
  return [Buffer.from(sentence), MARK, Buffer.from(String(code))];
}

/** The sentence about a code that no error reply can carry. */
export function badErrorCode(code: unknown): string {
  const shown = typeof code === "string" ? JSON.stringify(code) : String(code);
  return `the code of an error reply is ${shown}, not a whole number from 400 to 599`;
}

/** Decodes the body of an error reply; null where the body is that of a success. */
export function decodeErrorReply(body: Frame[]): ErrorReply | null {
  const [sentence, mark, code] = body;
  if (body.length !== 3 || !sentence || !code || !mark?.equals(MARK)) return null;
  const digits = code.toString("latin1");
  return /^[45][0-9][0-9]$/.test(digits)
    ? { code: Number(digits), sentence: sentence.toString() }
    : null;
}
