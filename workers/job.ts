// What a handler does for one request, and what becomes of what it says, throws or yields.

import { setImmediate as turn } from "node:timers/promises";
import { type ErrorCode, encodeErrorReply } from "../protocol/error-reply.ts";
import { type Frame, toFrame } from "../protocol/frame.ts";
import { requestId } from "../protocol/request-id.ts";
import type { Log } from "../runtime/log.ts";
import type { WorkerEvent } from "./events.ts";
import type { InFlightRequest } from "./session.ts";

/** The frames of a reply's body, at least one; strings go as UTF-8. */
export type Answer = string | Uint8Array | (string | Uint8Array)[];

/**
 * Does the work of one request: the frames of its body in, those of the reply's out. Throw a
 * ServiceError to say no; anything else that is thrown costs this request and is logged.
 *
 * An `async function*` streams: what it yields is a part of the reply, which a client of 18/MDP has
 * at once and others as a whole with the rest. What it returns is the last part, an empty frame if
 * that is nothing.
 */
export type Handler = (
  body: Frame[],
  request: {
    id: string | null; // The same when it comes again, after its worker died. Not all brokers have one.
    signal: AbortSignal; // Aborts when nobody waits for the answer any more.
  },
) => Answer | Promise<Answer> | Parts;

type Parts = AsyncGenerator<Answer, Answer | undefined> | AsyncGenerator<Answer, void>;

/** A handler's no, told to the client: 400 the input is wrong, 404 no such thing, 500 a failure. */
export class ServiceError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, sentence: string) {
    super(sentence);
    this.name = "ServiceError";
    this.code = code;
  }
}

/** A request at a handler. Its id and its signal are made when they are looked at: most never are. */
export class Job {
  readonly request: InFlightRequest;
  readonly begunAt: number;
  #reason: Error | null = null;
  #controller: AbortController | null = null;

  constructor(request: InFlightRequest, now: number) {
    this.request = request;
    this.begunAt = now;
  }

  get id(): string | null {
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

/** What the handler said last, or how it failed: now, if it knows now. Never throws nor rejects. */
export function answer(
  handler: Handler,
  job: Job,
  pass: PassPart,
  log: Log<WorkerEvent>,
): Frame[] | Promise<Frame[]> {
  try {
    const answered = handler(job.request.body, job);
    return isKnown(answered) ? toFrames(answered) : awaited(answered, job, pass, log);
  } catch (error) {
    return failure(error, job, log);
  }
}

async function awaited(
  answered: Promise<Answer> | Parts,
  job: Job,
  pass: PassPart,
  log: Log<WorkerEvent>,
): Promise<Frame[]> {
  try {
    const streams = Symbol.asyncIterator in answered;
    return toFrames(streams ? await lastOf(answered, job, pass) : await answered);
  } catch (error) {
    return failure(error, job, log);
  }
}

/** Passes on the parts as they come, with a turn of the loop after each, so that heartbeats go on. */
async function lastOf(parts: Parts, job: Job, pass: PassPart): Promise<Answer> {
  for (;;) {
    const { done, value } = await parts.next();
    if (done) return value ?? "";
    pass(job, toFrames(value));
    await turn();
    if (job.aborted) await parts.throw(job.signal.reason);
  }
}

function failure(error: unknown, { aborted }: Job, log: Log<WorkerEvent>): Frame[] {
  if (error instanceof ServiceError) return encodeErrorReply(error.code, error.message);
  // After an abort nobody waits, and most handlers fail with the reason that we gave them.
  if (!aborted) log({ event: "request.failed", err: error });
  return encodeErrorReply(500, `the service failed: ${messageOf(error)}`);
}

const isKnown = (answered: ReturnType<Handler>): answered is Answer =>
  Array.isArray(answered) || answered instanceof Uint8Array || typeof answered !== "object";

function toFrames(answer: Answer): Frame[] {
  const frames = Array.isArray(answer) ? answer : [answer];
  if (frames.length === 0) throw new TypeError("a reply has at least one frame");
  return frames.map((frame) => {
    if (typeof frame === "string" || frame instanceof Uint8Array) return toFrame(frame);
    throw new TypeError(`a reply is made of strings and bytes, not of ${typeof frame}`);
  });
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
