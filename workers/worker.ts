// The public side of a worker: serve() runs a handler as a worker until a stop signal.
// It has one socket, one timer and the handlers; WorkerSession makes the decisions.

import { z } from "zod";
import { MapByNumber } from "../collections/map-by-number.ts";
import type { Frame } from "../protocol/frame.ts";
import { deadAfterMs, tickMs } from "../protocol/heartbeat.ts";
import { serviceFrame } from "../protocol/mdp.ts";
import { CREDIT_MAX } from "../protocol/ready.ts";
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
import { loadTransport } from "../transport/load-transport.ts";
import type { Connected } from "../transport/transport.ts";
import { levelOf, sentenceOf } from "./events.ts";
import { type Handler, Job, outcomeOf, runHandler } from "./job.ts";
import { WorkerMetrics } from "./metrics.ts";
import { type InFlightRequest, type WorkerEffect, WorkerSession } from "./session.ts";
import { workerName } from "./worker-name.ts";

export { type Handler, type HandlerContext, type ReplyBody, ServiceError } from "./job.ts";
export type { Frame };

/**
 * The settings that serve() reads from the environment. A program with settings of its own adds
 * them to these, so that one readSettings() call reports every bad value.
 */
export const workerSettings = {
  ...heartbeatSettings,
  MDP_BROKER: brokerEndpoint,
  MDP_TRANSPORT: transport,
  MDP_READY: z.enum(["probe", "plain"], { message: "probe or plain" }).default("probe"),
  MDP_TIME_LIMIT_MS: whole("a number of ms", 1, 86_400_000, 30_000),
  MDP_MESSAGE_BYTES_MAX: messageBytesMax,
  MDP_HEALTH_PORT: healthPort,
  LOG_LEVEL: logLevel,
};

export type ServeOptions = {
  /** How many requests the broker may have in flight at this worker: 1 to 65,535; 1 by default. */
  concurrency?: number;
};

/**
 * Runs this process as a worker: registers `handler` for `service` at the broker, and serves
 * requests until SIGTERM or SIGINT. Resolves when the requests in flight have their replies and
 * the worker has left the broker. A second signal aborts the handlers and ends the process.
 *
 * The settings come from the environment, each with a default: MDP_BROKER, MDP_TRANSPORT,
 * MDP_HEARTBEAT_INTERVAL_MS, MDP_HEARTBEAT_LIVENESS, MDP_READY, MDP_TIME_LIMIT_MS,
 * MDP_MESSAGE_BYTES_MAX, MDP_HEALTH_PORT and LOG_LEVEL. A bad value ends the process with exit code 1.
 *
 * Rejects with a RangeError if `service` is not 1 to 255 bytes of UTF-8, if it starts with "mmi.",
 * or if `concurrency` is out of range.
 */
export async function serve(
  service: string,
  handler: Handler,
  { concurrency = 1 }: ServeOptions = {},
): Promise<void> {
  check(service, concurrency);
  const settings = readSettings(service, workerSettings);
  const log = logger(service, settings.LOG_LEVEL, { levelOf, sentenceOf }, { name: workerName });
  const heartbeat = heartbeatFrom(settings);
  const now = () => performance.now();
  const session = new WorkerSession(
    {
      broker: settings.MDP_BROKER,
      service,
      name: workerName,
      credit: concurrency,
      streams: handler instanceof AsyncGeneratorFunction,
      plainReady: settings.MDP_READY === "plain",
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

  const ready = () => session.ready;
  const health = serveHealth(service, settings.MDP_HEALTH_PORT, ready, metrics);
  await health.listening; // A port in use ends the process before the broker knows the worker.
  const timer = setInterval(() => perform(session.tick(now())), tickMs(heartbeat));
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
      failed: (failure) => perform(session.failed(failure, now())),
    });
  }

  function work(request: InFlightRequest) {
    const job = new Job(request, now());
    jobs.add(request.number, job);
    const body = runHandler(handler, job, part, log);
    if (body instanceof Promise) void body.then((body) => done(job, body));
    else done(job, body);
  }

  function part({ request }: Job, body: Frame[]) {
    perform(session.partial(request, body, now()));
  }

  function done(job: Job, body: Frame[]) {
    const { request, begunAt } = job;
    jobs.delete(request.number);
    const effects = session.reply(request, body, now());
    metrics.handled(outcomeOf(job, body), now() - begunAt);
    perform(effects);
  }

  function abortAll(reason: string) {
    for (const [, job] of jobs) job.abort(new Error(reason));
  }
}

/** For how long a closed socket goes on sending, so that the last commands arrive. */
const LINGER_MS = 1000;

function check(service: string, concurrency: number) {
  serviceFrame(service);
  if (service.startsWith("mmi.")) {
    throw new RangeError(
      `"${service}": names that start with "mmi." are reserved for the broker (8/MMI)`,
    );
  }
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > CREDIT_MAX) {
    throw new RangeError(
      `concurrency is ${concurrency}, not a whole number from 1 to ${CREDIT_MAX}`,
    );
  }
}

const AsyncGeneratorFunction = async function* () {}.constructor as new () => Handler;
