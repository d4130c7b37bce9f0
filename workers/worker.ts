// The public side of a worker: a Worker serves one or several services in this process, and serve()
// runs a program that serves one.

import { EventEmitter } from "node:events";
import type { Frame } from "../protocol/frame.ts";
import type { Contract } from "../runtime/contract.ts";
import { fail } from "../runtime/fail.ts";
import { serveHealth } from "../runtime/health.ts";
import { checkSignal } from "../runtime/invalid-option.ts";
import { lineLogger } from "../runtime/log.ts";
import { processMetrics } from "../runtime/process-metrics.ts";
import { TIME_LIMIT_MS } from "../runtime/ranges.ts";
import {
  brokerEndpoint,
  healthFrom,
  healthSettings,
  heartbeatFrom,
  heartbeatSettings,
  logSettings,
  messageBytesMax,
  oneOf,
  readSettings,
  transport as transportName,
  whole,
} from "../runtime/settings.ts";
import { onStopSignal } from "../runtime/signals.ts";
import type { InputOf, OutputOf, StandardSchema } from "../runtime/standard-schema.ts";
import { loadTransport } from "../transport/load-transport.ts";
import { levelOf, sentenceOf, type WorkerEvent } from "./events.ts";
import type { Handler } from "./job.ts";
import { type JsonHandler, json } from "./json.ts";
import { addWorkerMetrics } from "./metrics.ts";
import { Runner } from "./runner.ts";
import { workerName } from "./worker-name.ts";
import {
  type ServiceOptions,
  serviceSettings,
  type WorkerOptions,
  type WorkerSettings,
  workerSettings as withDefaults,
} from "./worker-options.ts";

export { type Contract, contract } from "../runtime/contract.ts";
export { type Handler, type HandlerContext, type ReplyBody, ServiceError } from "./job.ts";
export { type JsonHandler, json } from "./json.ts";
export type { Frame, ServiceOptions, WorkerOptions };

/** The events of a Worker and their arguments. `service` is the name of the service concerned. */
export type WorkerEvents = {
  /** The broker has accepted the registration; requests arrive from now on. */
  registered: [{ service: string }];
  /** An attempt to connect failed, with this code of the system; the next one follows by itself. */
  unreachable: [{ service: string; code: string; reason: string; retryMs: number }];
  /** The broker is lost; the worker connects again by itself. `abandoned` handlers were aborted. */
  lost: [{ service: string; reason: string; abandoned: number; retryMs: number }];
  /** A handler threw an error that is no ServiceError. `request` is the broker's request id. */
  failed: [{ service: string; request: string | null; error: unknown }];
  /** close() was called: no more requests arrive. */
  draining: [];
  /** All services have left the broker. */
  stopped: [];
  /** The health port cannot be opened. Only if no run() is pending: its promise rejects instead. */
  error: [Error];
};

/** `running` until close() is called, `draining` while handlers finish, `stopped` after that. */
export type WorkerState = "running" | "draining" | "stopped";

/**
 * Serves requests in this process, for one or several services. It connects at once, registers each
 * service at the broker, and connects again by itself when it loses the broker. It reads no
 * environment, listens for no signals, and never ends the process.
 */
export class Worker extends EventEmitter<WorkerEvents> {
  #settings: WorkerSettings;
  #runners = new Map<string, Runner>();
  #health: ReturnType<typeof serveHealth> | null = null;
  #listening: Promise<void> | null = null;
  #state: WorkerState = "running";
  #ended = Promise.withResolvers<void>();
  #runs = 0; // Pending calls of run().
  #closing: Promise<void> | null = null;

  /** Throws a RangeError that names the first invalid option and its value. */
  constructor(options: WorkerOptions = {}) {
    super();
    this.#settings = withDefaults(options);
    this.#ended.promise.catch(() => {}); // run() has the error, or the event.
    const { metrics, transport } = this.#settings;
    if (metrics) addWorkerMetrics(metrics, () => this.#runners.values(), transport.version);
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Whether every service is registered, so that requests arrive; false without a service. */
  get ready(): boolean {
    const runners = [...this.#runners.values()];
    return runners.length > 0 && runners.every(({ ready }) => ready);
  }

  /**
   * Registers `handler` for `service` at the broker and serves its requests from now on. Returns this
   * worker, so that calls can be chained.
   *
   * Throws a RangeError if `service` is not 1 to 255 bytes of UTF-8, if it starts with "mmi.", if it has
   * a handler here already, or if an option is out of range. Throws an Error after close().
   */
  serve(service: string, handler: Handler, options?: ServiceOptions): this;
  /** The same with a contract: its service, and json(contract, handler). */
  serve<Request extends StandardSchema, Reply extends StandardSchema>(
    contract: Contract<Request, Reply>,
    handler: JsonHandler<OutputOf<Request>, InputOf<Reply>>,
    options?: ServiceOptions,
  ): this;
  serve(
    to: string | Contract,
    given: Handler | JsonHandler<never, unknown>,
    options: ServiceOptions = {},
  ): this {
    const isContract = typeof to === "object" && to !== null;
    const service = isContract ? to.service : to;
    const handler = isContract
      ? json(to, given as JsonHandler<unknown, unknown>)
      : (given as Handler);
    const settings = serviceSettings(service, handler, options);
    if (this.#state !== "running") throw new Error(CLOSED);
    if (this.#runners.has(service)) throw new RangeError(`"${service}" has a handler already`);
    const log = (event: WorkerEvent) => this.#report(service, event);
    const runner = new Runner({ ...this.#settings, ...settings, service, handler, log });
    this.#runners.set(service, runner);
    this.#listening ??= this.#listen();
    void this.#listening.then(() => runner.start());
    return this;
  }

  /**
   * Opens the health port before the first serve(), which opens it otherwise. Rejects with an Error if
   * the port cannot be opened, or after close().
   */
  async listen(): Promise<void> {
    if (this.#state !== "running") throw new Error(CLOSED);
    const { health, metrics } = this.#settings;
    this.#health ??= serveHealth(health, () => this.ready, metrics);
    await this.#health.listening;
  }

  /**
   * Resolves when the worker is closed: by close(), or because `signal` aborted, which closes it. Rejects
   * with an Error if the health port cannot be opened.
   */
  async run({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkSignal(signal);
    const close = () => void this.close();
    if (signal?.aborted) close();
    signal?.addEventListener("abort", close, { once: true });
    this.#runs += 1;
    try {
      await this.#ended.promise;
    } finally {
      this.#runs -= 1;
      signal?.removeEventListener("abort", close);
    }
  }

  /**
   * Drains: accepts no more requests, finishes those in flight, then leaves the broker. Resolves when all
   * handlers have ended, at most the longest time limit of its services later. No request is executed
   * twice.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Aborts the signals of all handlers that run. They still end by themselves. */
  abort(reason: Error = new Error("the worker was stopped")) {
    for (const runner of this.#runners.values()) runner.abort(reason);
  }

  /** The same as close(), for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close() {
    this.#state = "draining";
    this.emit("draining");
    for (const runner of this.#runners.values()) runner.drain();
    await Promise.all([...this.#runners.values()].map(({ stopped }) => stopped));
    this.#health?.close();
    this.#state = "stopped";
    this.emit("stopped");
    this.#ended.resolve();
  }

  /** A port in use is an error before the broker knows the worker. */
  async #listen() {
    try {
      await this.listen();
    } catch (error) {
      this.#ended.reject(error);
      void this.close();
      if (this.#runs === 0) this.emit("error", error as Error);
    }
  }

  #report(service: string, event: WorkerEvent) {
    this.#settings.logger?.[levelOf(event)]({ service, ...event }, sentenceOf(event));
    switch (event.event) {
      case "session.confirmed":
        this.emit("registered", { service });
        break;
      case "session.unreachable": {
        const { code, reason, retryMs } = event;
        this.emit("unreachable", { service, code, reason, retryMs });
        break;
      }
      case "session.lost": {
        const { reason, abandoned, retryMs } = event;
        this.emit("lost", { service, reason, abandoned, retryMs });
        break;
      }
      case "request.failed":
        this.emit("failed", { service, request: event.request, error: event.err });
        break;
    }
  }
}

const CLOSED = "the worker is closed";

/**
 * The settings that serve() reads from the environment. A program with settings of its own adds
 * them to these, so that one readSettings() call reports every bad value.
 */
export const workerSettings = {
  ...heartbeatSettings,
  ...healthSettings,
  MDP_BROKER: brokerEndpoint,
  MDP_TRANSPORT: transportName,
  MDP_READY: oneOf(["probe", "plain"], "probe", "probe or plain"),
  MDP_TIME_LIMIT_MS: whole(...TIME_LIMIT_MS, 30_000),
  MDP_MESSAGE_BYTES_MAX: messageBytesMax,
  ...logSettings,
};

export type ServeOptions = Pick<ServiceOptions, "concurrency"> & {
  /**
   * Prepares the service: runs once the health port is open, and before the worker connects to the
   * broker. serve() rejects with its error.
   */
  prepare?: (() => Promise<void>) | undefined;
};

/**
 * Runs this process as a worker: registers `handler` for `service` at the broker, and serves
 * requests until SIGTERM or SIGINT. Resolves when the requests in flight have their replies and
 * the worker has left the broker. A second signal aborts the handlers and ends the process.
 *
 * The settings come from the environment, each with a default: MDP_BROKER, MDP_TRANSPORT,
 * MDP_HEARTBEAT_INTERVAL_MS, MDP_HEARTBEAT_LIVENESS, MDP_READY, MDP_TIME_LIMIT_MS,
 * MDP_MESSAGE_BYTES_MAX, MDP_HEALTH_HOST, MDP_HEALTH_PORT, LOG_LEVEL and LOG_FORMAT. A bad value ends
 * the process with exit code 1. A Worker does the same without environment, signals and exit codes.
 *
 * Rejects with a RangeError if `service` is not 1 to 255 bytes of UTF-8, if it starts with "mmi.",
 * or if `concurrency` is out of range.
 */
export async function serve(
  service: string,
  handler: Handler,
  { concurrency, prepare }: ServeOptions = {},
): Promise<void> {
  const settings = readSettings(service, workerSettings);
  const health = healthFrom(settings);
  const transport = await loadTransport(settings.MDP_TRANSPORT);
  const worker = new Worker({
    broker: settings.MDP_BROKER,
    heartbeat: heartbeatFrom(settings),
    messageBytesMax: settings.MDP_MESSAGE_BYTES_MAX,
    plainReady: settings.MDP_READY === "plain",
    transport,
    health,
    logger: lineLogger(service, settings, { name: workerName }),
    metrics: health && processMetrics(transport.version, { service }),
  });
  await worker.listen().catch((error: Error) => fail(service, error.message));
  await prepare?.();
  worker.serve(service, handler, { concurrency, timeLimitMs: settings.MDP_TIME_LIMIT_MS });
  const running = worker.run();
  onStopSignal(
    () => void worker.close(),
    () => worker.abort(),
  );
  await running.catch((error: Error) => fail(service, error.message));
}
