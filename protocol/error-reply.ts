// How a service says no. MDP has no error replies, so ours is an ordinary REPLY of three frames:
//
//   [sentence] ["mmi.error"] [code]
//
// A peer that does not know this shape still shows its user the sentence, which comes first.

import type { Frame } from "./frame.ts";

const MARK = Buffer.from("mmi.error");

/** What a service may say. 400: it refused the input. 404: it has no such thing. 500: it failed. */
export type FailureCode = 400 | 404 | 409 | 413 | 500 | 503;

export type Failure = { code: number; sentence: string };

export function encodeErrorReply(code: number, sentence: string): Frame[] {
  return [Buffer.from(sentence), MARK, Buffer.from(String(code))];
}

/** The failure that a reply's body is, or null if the service succeeded. */
export function decodeErrorReply(body: Frame[]): Failure | null {
  const [sentence, mark, code] = body;
  if (body.length !== 3 || !sentence || !code || !mark?.equals(MARK)) return null;
  const digits = code.toString("latin1");
  return /^[45][0-9][0-9]$/.test(digits)
    ? { code: Number(digits), sentence: sentence.toString() }
    : null;
}
