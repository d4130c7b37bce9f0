// What a service author uses: serve(), which runs a handler as a worker of the broker until the
// process is told to stop. One socket, one timer, and the Session that decides.

import { MapByNumber } from "../collections/map-by-number.ts";
import { decodeErrorReply } from "../protocol/error-reply.ts";
import type { Frame } from "../protocol/frame.ts";
import { deadAfterMs, tickMs } from "../protocol/heartbeat.ts";
import { CREDIT_MAX, serviceFrame } from "../protocol/mdp.ts";
import { serveHealth } from "../runtime/health.ts";
import { logger } from "../runtime/log.ts";
import {
  brokerEndpoint,
  healthPort,
  heartbeatFrom,
  heartbeatSettings,
  logLevel,
  messageBytesMax,
  readSettings,
  transport,
  whole,
} from "../runtime/settings.ts";
import { onStopSignal } from "../runtime/signals.ts";
import { loadTransport } from "../transport/load.ts";
import type { Connected } from "../transport/transport.ts";
import { levelOf, sentenceOf } from "./events.ts";
import { answer, type Handler, Job } from "./job.ts";
import { WorkerMetrics } from "./metrics.ts";
import { type InFlightRequest, type WorkerEffect, WorkerSession } from "./session.ts";

export { type Answer, type Handler, ServiceError } from "./job.ts";
export type { Frame };

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
  const settings = readSettings(service, workerSettings);
  const log = logger(service, settings.LOG_LEVEL, { levelOf, sentenceOf });
  const heartbeat = heartbeatFrom(settings);
  const now = () => performance.now();
  const session = new WorkerSession(
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
  const transport = await loadTransport(settings.MDP_TRANSPORT);
  const jobs = new MapByNumber<Job>();
  const metrics = new WorkerMetrics(service, session, transport.version, () => jobs.size);
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

  function perform(effects: WorkerEffect[]) {
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
          work(effect.request);
          break;
        case "abort":
          jobs.get(effect.request.number)?.abort(new Error(effect.reason));
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
    return transport.connect(settings.MDP_BROKER, timing, {
      opened: () => session.opened(now()),
      message: (frames) => perform(session.receive(frames, now())),
      gone: () => perform(session.gone(now())),
    });
  }

  function work(request: InFlightRequest) {
    const job = new Job(request, now());
    jobs.add(request.number, job);
    const body = answer(handler, job, part, log);
    if (body instanceof Promise) void body.then((body) => done(job, body));
    else done(job, body);
  }

  function part({ request }: Job, body: Frame[]) {
    perform(session.partial(request, body, now()));
  }

  function done({ request, begunAt, aborted }: Job, body: Frame[]) {
    jobs.delete(request.number);
    const outcome = decodeErrorReply(body) ? "failed" : "answered";
    metrics.handled(aborted ? "aborted" : outcome, now() - begunAt);
    perform(session.reply(request, body, now()));
  }

  function abortAll(reason: string) {
    for (const [, job] of jobs) job.abort(new Error(reason));
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
