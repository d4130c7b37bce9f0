// Runs a handler for one request and turns its result, its parts or its error into frames.

import { setImmediate as turn } from "node:timers/promises";
import {
  badErrorCode,
  decodeErrorReply,
  type ErrorCode,
  encodeErrorReply,
  isErrorCode,
} from "../protocol/error-reply.ts";
import { type Frame, toFrame } from "../protocol/frame.ts";
import { handlerId } from "../protocol/metadata.ts";
import { requestId } from "../protocol/request-id.ts";
import type { Log } from "../runtime/log.ts";
import type { WorkerEvent } from "./events.ts";
import type { HandlerOutcome } from "./metrics.ts";
import type { InFlightRequest } from "./session-model.ts";

/**
 * The body of a reply: one frame, or an array of at least one. A string becomes UTF-8. The worker
 * copies the bytes, so that a handler may use one buffer for many replies or parts.
 */
export type ReplyBody = string | Uint8Array | (string | Uint8Array)[];

/** The request that a handler runs for. */
export type HandlerContext = {
  /**
   * The id of the call. It is the same at each delivery, also after the death of a worker. If the
   * caller gave a call id, it is also the same at each broker and after restarts: the call id, after
   * the name of the caller's key and a NUL where brokers use keys. Otherwise it is `requestId`.
   *
   * A call id fetches the reply of its call, so it must not stand in logs; `requestId` may.
   */
  id: string | null;
  /**
   * The id that the broker gave the request, 32 hexadecimal digits, as in the broker's logs. It is
   * the same at each delivery by one start of the broker. Null if the broker sends no ids.
   */
  requestId: string | null;
  /**
   * Aborts when the reply is not needed any more: the time limit passed, the broker was lost, the
   * client cancelled the call, the call expired, or a second stop signal came. `signal.reason` is an
   * Error with the cause.
   */
  signal: AbortSignal;
};

/**
 * Serves one request: takes the frames of its body, returns or resolves to the body of the reply.
 *
 * Throw a ServiceError to send an error reply with your own code and sentence. Any other error is
 * logged, and the client gets an error reply with code 500. The worker goes on in both cases.
 *
 * An `async function*` streams (18/MDP): each value that it yields is a part of the reply. A client
 * of 18/MDP gets each part at once, other clients get all parts in one reply. The value that it
 * returns is the last part; without one, the last part is an empty frame.
 */
export type Handler = (
  body: Frame[],
  request: HandlerContext,
) => ReplyBody | Promise<ReplyBody> | Parts;

type Parts = AsyncGenerator<ReplyBody, ReplyBody | undefined> | AsyncGenerator<ReplyBody, void>;

/**
 * An error reply: a handler throws it, and the client gets its code and sentence. The codes are
 * those of HTTP: 400 bad input, 404 not found, 409 conflict, 413 too large, 500 failure, 503
 * unavailable. The constructor throws a RangeError for a code outside 400 to 599.
 */
export class ServiceError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, sentence: string) {
    super(sentence);
    if (!isErrorCode(code)) throw new RangeError(badErrorCode(code));
    this.name = "ServiceError";
    this.code = code;
  }
}

/** A request and its handler. Makes its ids and signal on use: most handlers use none. */
export class Job {
  readonly request: InFlightRequest;
  /** When the handler began, on the clock of `now`, in ms. */
  readonly begunAt: number;
  #reason: Error | null = null;
  #controller: AbortController | null = null;

  constructor(request: InFlightRequest, now: number) {
    this.request = request;
    this.begunAt = now;
  }

  get id(): string | null {
    return handlerId(this.request.metadata, this.request.client);
  }

  get requestId(): string | null {
    return requestId(this.request.client);
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  get aborted(): boolean {
    return this.#reason !== null;
  }

  abort(reason: Error) {
    this.#reason ??= reason;
    this.#controller?.abort(reason);
  }
}

type PassPart = (job: Job, body: Frame[]) => void;

/**
 * Runs the handler. Returns the frames of the reply, or its last part, or an error reply. Returns a
 * promise of them if the handler is asynchronous. `pass` gets each earlier part. Never throws or
 * rejects.
 */
export function runHandler(
  handler: Handler,
  job: Job,
  pass: PassPart,
  log: Log<WorkerEvent>,
): Frame[] | Promise<Frame[]> {
  try {
    const result = handler(job.request.body, job);
    return isBody(result) ? toFrames(result) : awaited(result, job, pass, log);
  } catch (error) {
    return errorReply(error, job, log);
  }
}

async function awaited(
  result: Promise<ReplyBody> | Parts,
  job: Job,
  pass: PassPart,
  log: Log<WorkerEvent>,
): Promise<Frame[]> {
  try {
    const streams = Symbol.asyncIterator in result;
    return toFrames(streams ? await lastOf(result, job, pass) : await result);
  } catch (error) {
    return errorReply(error, job, log);
  }
}

/**
 * Passes on each part, then waits for the next event-loop turn, so that heartbeats go on. Closes the
 * generator after a part that is no reply body, so that its `finally` runs.
 */
async function lastOf(parts: Parts, job: Job, pass: PassPart): Promise<ReplyBody> {
  for (;;) {
    const { done, value } = await parts.next();
    if (done) return value ?? "";
    try {
      pass(job, toFrames(value));
    } catch (error) {
      await parts.return(undefined as never).catch(() => {}); // The first error is the cause.
      throw error;
    }
    await turn();
    if (job.aborted) await parts.throw(job.signal.reason);
  }
}

/** How the handler of this job ended; `body` is its result. */
export function outcomeOf({ request, aborted }: Job, body: Frame[]): HandlerOutcome {
  if (request.oversized) return "failed"; // Parts that are too large abort the job too.
  if (aborted) return "aborted";
  return decodeErrorReply(body) ? "failed" : "answered";
}

/** A handler may throw anything: reading its error may throw again. */
function errorReply(error: unknown, { aborted, request }: Job, log: Log<WorkerEvent>): Frame[] {
  const own = ownErrorReply(error);
  if (own) return own;
  const sentence = messageOf(error);
  // After an abort the reply is dropped, and most handlers throw the reason of the abort.
  if (!aborted) logFailure(error, sentence, requestId(request.client), log);
  return encodeErrorReply(500, `the service failed: ${sentence}`);
}

/** The error reply of a ServiceError; null for any other error, and for an invalid ServiceError. */
function ownErrorReply(error: unknown): Frame[] | null {
  try {
    return error instanceof ServiceError ? encodeErrorReply(error.code, error.message) : null;
  } catch {
    return null;
  }
}

/** Logs the error, or its sentence alone if the logger cannot read the error. */
function logFailure(
  error: unknown,
  sentence: string,
  request: string | null,
  log: Log<WorkerEvent>,
) {
  try {
    log({ event: "request.failed", request, err: error });
  } catch {
    log({ event: "request.failed", request, err: new Error(sentence) });
  }
}

function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "the handler threw a value without a readable message";
  }
}

const isBody = (result: ReturnType<Handler>): result is ReplyBody =>
  Array.isArray(result) || result instanceof Uint8Array || !isObject(result);

const isObject = (value: unknown) => typeof value === "object" && value !== null;

function toFrames(body: ReplyBody): Frame[] {
  const values = Array.isArray(body) ? body : [body];
  if (values.length === 0)
    throw new TypeError("the handler returned no frames; a reply has at least one frame");
  const frames: Frame[] = [];
  for (const value of values) frames.push(frameOf(value)); // Also visits holes, as map() does not.
  return frames;
}

function frameOf(value: string | Uint8Array): Frame {
  if (typeof value === "string" || value instanceof Uint8Array) return toFrame(value);
  const advice = isObject(value) ? ": return JSON.stringify(value)" : "";
  const kind = value === null ? "null" : typeof value;
  throw new TypeError(`the handler returned ${kind}; a frame is a string or a Uint8Array${advice}`);
}
