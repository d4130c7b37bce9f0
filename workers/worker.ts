// What a service author uses: serve(), which runs a handler as a worker of the broker until the
// process is told to stop. One socket, one timer, and the Session that decides.

import { setImmediate as turn } from "node:timers/promises";
import {
  brokerEndpoint,
  environment,
  healthPort,
  heartbeatFrom,
  heartbeatSettings,
  logLevel,
  messageBytesMax,
  transport,
  whole,
} from "../program/environment.ts";
import { serveHealth } from "../program/health.ts";
import { type Log, logger } from "../program/log.ts";
import { onStopSignal } from "../program/signals.ts";
import { decodeFailure, encodeFailure, type FailureCode } from "../protocol/failure.ts";
import { type Frame, toFrame } from "../protocol/frame.ts";
import { deadAfterMs, tickMs } from "../protocol/heartbeat.ts";
import { CREDIT_MAX, serviceFrame } from "../protocol/mdp.ts";
import { requestId } from "../protocol/request-id.ts";
import { connect } from "../transport/chosen.ts";
import type { Connected } from "../transport/transport.ts";
import { levelOf, sentenceOf, type WorkerEvent } from "./events.ts";
import { WorkerMetrics } from "./metrics.ts";
import { type Effect, type Request, Session } from "./session.ts";

export type { Frame };

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
  readonly code: FailureCode;

  constructor(code: FailureCode, sentence: string) {
    super(sentence);
    this.name = "ServiceError";
    this.code = code;
  }
}

/** For a program that has settings of its own to check them all at once, before it does anything. */
export const workerSettings = {
  ...heartbeatSettings,
  MDP_BROKER: brokerEndpoint,
  MDP_TRANSPORT: transport,
  MDP_TIME_LIMIT_MS: whole("a number of ms", 1, 86_400_000, 30_000),
  MDP_MESSAGE_BYTES_MAX: messageBytesMax,
  MDP_HEALTH_PORT: healthPort,
  LOG_LEVEL: logLevel,
};

/**
 * Registers `handler` under the name `service` and serves `concurrency` requests at once (1 unless
 * told otherwise). Resolves when a stop signal has come and all requests in hand are answered; a
 * second signal ends the process at once. Settings come from the environment: MDP_BROKER, MDP_TRANSPORT,
 * MDP_HEARTBEAT_INTERVAL_MS, MDP_HEARTBEAT_LIVENESS, MDP_TIME_LIMIT_MS, MDP_MESSAGE_BYTES_MAX,
 * MDP_HEALTH_PORT, LOG_LEVEL; a bad one ends the process with exit code 1. Throws a RangeError on a
 * service name or a concurrency that the protocol has no room for.
 */
export async function serve(
  service: string,
  handler: Handler,
  { concurrency = 1 }: { concurrency?: number } = {},
): Promise<void> {
  check(service, concurrency);
  const settings = environment(service, workerSettings);
  const log = logger(service, settings.LOG_LEVEL, { levelOf, sentenceOf });
  const heartbeat = heartbeatFrom(settings);
  const now = () => performance.now();
  const session = new Session(
    {
      service,
      credit: concurrency,
      streams: handler instanceof AsyncGeneratorFunction,
      timeLimitMs: settings.MDP_TIME_LIMIT_MS,
      messageBytesMax: settings.MDP_MESSAGE_BYTES_MAX,
      heartbeat,
      random: Math.random,
    },
    now(),
  );
  const handlers = new Map<Request, AbortController>();
  const metrics = new WorkerMetrics(service, session, () => handlers.size);
  const stopped = Promise.withResolvers<void>();
  let socket: Connected | null = null;

  const timer = setInterval(() => perform(session.tick(now())), tickMs(heartbeat));
  const ready = () => session.ready;
  const health = serveHealth(service, settings.MDP_HEALTH_PORT, ready, metrics);
  onStopSignal(
    () => perform(session.drain(now())),
    () => abortAll("the worker was stopped"),
  );
  const { MDP_BROKER: broker } = settings;
  log({ event: "worker.started", broker, concurrency });
  perform(session.tick(now()));
  await stopped.promise;
  clearInterval(timer);
  health.close();
  log({ event: "worker.stopped" });

  function perform(effects: Effect[]) {
    for (const effect of effects) {
      switch (effect.do) {
        case "connect":
          socket = open();
          break;
        case "close":
          socket?.close(LINGER_MS);
          socket = null;
          break;
        case "send":
          socket?.send(effect.frames);
          break;
        case "serve":
          void work(effect.request);
          break;
        case "abort":
          handlers.get(effect.request)?.abort(new Error(effect.why));
          break;
        case "log":
          log(effect.entry);
          break;
        case "stopped":
          stopped.resolve();
          break;
      }
    }
  }

  function open() {
    const timing = { deadAfterMs: deadAfterMs(heartbeat) };
    return connect(settings.MDP_BROKER, timing, {
      opened: () => session.opened(now()),
      message: (frames) => perform(session.receive(frames, now())),
      gone: () => perform(session.gone(now())),
    });
  }

  async function work(request: Request) {
    const begunAt = now();
    const controller = new AbortController();
    handlers.set(request, controller);
    const id = requestId(request.client);
    const part = (body: Frame[]) => perform(session.partial(request, body, now()));
    const given = { id, signal: controller.signal };
    const body = await answer(handler, request.body, given, part, log);
    handlers.delete(request);
    const outcome = decodeFailure(body) ? "failed" : "answered";
    metrics.handled(controller.signal.aborted ? "aborted" : outcome, now() - begunAt);
    perform(session.reply(request, body, now()));
  }

  function abortAll(why: string) {
    for (const controller of handlers.values()) controller.abort(new Error(why));
  }
}

/** What a worker said last, its DISCONNECT above all, should still arrive. */
const LINGER_MS = 1000;

function check(service: string, concurrency: number) {
  serviceFrame(service);
  if (service.startsWith("mmi.")) {
    throw new RangeError(`"${service}": names that start with "mmi." are the broker's (8/MMI)`);
  }
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > CREDIT_MAX) {
    throw new RangeError(`concurrency is a whole number from 1 to ${CREDIT_MAX}: ${concurrency}`);
  }
}

const AsyncGeneratorFunction = async function* () {}.constructor as new () => Handler;

/** What the handler said last, or how it failed. Never rejects. */
async function answer(
  handler: Handler,
  body: Frame[],
  request: Parameters<Handler>[1],
  part: (body: Frame[]) => void,
  log: Log<WorkerEvent>,
): Promise<Frame[]> {
  try {
    const answered = handler(body, request);
    const streams = typeof answered === "object" && Symbol.asyncIterator in answered;
    return toFrames(streams ? await lastOf(answered, request.signal, part) : await answered);
  } catch (error) {
    if (error instanceof ServiceError) return encodeFailure(error.code, error.message);
    // After an abort nobody waits, and most handlers fail with the reason that we gave them.
    if (!request.signal.aborted) log({ event: "request.failed", err: error });
    return encodeFailure(500, `the service failed: ${messageOf(error)}`);
  }
}

/** Passes on the parts as they come, with a turn of the loop after each, so that heartbeats go on. */
async function lastOf(
  parts: Parts,
  signal: AbortSignal,
  pass: (part: Frame[]) => void,
): Promise<Answer> {
  for (;;) {
    const { done, value } = await parts.next();
    if (done) return value ?? "";
    pass(toFrames(value));
    await turn();
    if (signal.aborted) await parts.throw(signal.reason);
  }
}

function toFrames(answer: Answer): Frame[] {
  const frames = Array.isArray(answer) ? answer : [answer];
  if (frames.length === 0) throw new TypeError("a reply has at least one frame");
  return frames.map((frame) => {
    if (typeof frame === "string" || frame instanceof Uint8Array) return toFrame(frame);
    throw new TypeError(`a reply is made of strings and bytes, not of ${typeof frame}`);
  });
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
