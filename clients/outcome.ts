// The outcome of a request, and how the session reads it from the answer to a call.

import { decodeStatus, STATUS } from "../protocol/call.ts";
import { decodeErrorReply } from "../protocol/error-reply.ts";
import type { Frame } from "../protocol/frame.ts";

/** How a request ended. */
export type Outcome =
  /** The service replied; the frames of the body, which may be an error reply (error-reply.ts). */
  | { reply: Frame[] }
  /** The broker rejected the request with a status of protocol/call.ts and its sentence. */
  | { refused: number; sentence: string }
  /** The deadline passed without a reply or a status. */
  | { failed: "timed out" }
  /** The connection was lost after a part of the reply had arrived. */
  | { failed: "broken off" }
  /** The broker was silent on every try, or unreachable at the deadline, for this reason. */
  | { failed: "no broker"; reason: string | null };

const SENTENCE_BYTES_MAX = 1000;

/**
 * The outcome in the body of an answer to a call. Null if the broker does not support calls: it
 * answers with a lone 501 (8/MMI), or with any body that is not a status and at least one more
 * frame.
 */
export function outcomeOf(answer: Frame[]): Outcome | null {
  const decoded = decodeStatus(answer);
  const first = decoded?.body[0];
  if (!decoded || !first) return null;
  const { status, body } = decoded;
  if (status === STATUS.ok || decodeErrorReply(body)) return { reply: body };
  return { refused: status, sentence: first.subarray(0, SENTENCE_BYTES_MAX).toString() };
}
