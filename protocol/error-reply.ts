// The error reply of a service. MDP has no error replies, so ours is an ordinary REPLY of three frames:
//
//   [sentence] ["mmi.error"] [code]
//
// The sentence comes first, so that a peer that does not know this shape shows the sentence to its user.

import type { Frame } from "./frame.ts";

const MARK = Buffer.from("mmi.error");

/** The codes of error replies, with the meanings that they have in HTTP. */
export type ErrorCode = 400 | 404 | 409 | 413 | 500 | 503;

export type ErrorReply = { code: number; sentence: string };

/** The body of an error reply. `code` is from 400 to 599. */
export function encodeErrorReply(code: number, sentence: string): Frame[] {
  return [Buffer.from(sentence), MARK, Buffer.from(String(code))];
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
