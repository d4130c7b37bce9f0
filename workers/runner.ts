// Runs the handler of one service: owns the socket, the timer and the jobs. WorkerSession makes the
// decisions.

import { MapByNumber } from "../collections/map-by-number.ts";
import type { Frame } from "../protocol/frame.ts";
import { deadAfterMs, type Heartbeat, tickMs } from "../protocol/heartbeat.ts";
import type { Log } from "../runtime/log.ts";
import type { Connected, Transport } from "../transport/transport.ts";
import type { WorkerEvent } from "./events.ts";
import { type Handler, Job, outcomeOf, runHandler } from "./job.ts";
import { HandlerStats, type MeasuredService } from "./metrics.ts";
import { WorkerSession } from "./session.ts";
import type { InFlightRequest, WorkerEffect } from "./session-model.ts";

export type RunnerOptions = {
  broker: string;
  service: string;
  handler: Handler;
  /** The name of the worker in READY. */
  name: string;
  concurrency: number;
  timeLimitMs: number;
  messageBytesMax: number;
  heartbeat: Heartbeat;
  /** Whether READY goes out without probes. */
  plainReady: boolean;
  transport: Transport;
  log: Log<WorkerEvent>;
};

export class Runner implements MeasuredService {
  readonly stats = new HandlerStats();
  #options: RunnerOptions;
  #session: WorkerSession;
  #jobs = new MapByNumber<Job>();
  #socket: Connected | null = null;
  #timer: NodeJS.Timeout | undefined;
  #stopped = Promise.withResolvers<void>();

  constructor(options: RunnerOptions) {
    this.#options = options;
    const { handler, concurrency } = options;
    this.#session = new WorkerSession(
      {
        ...options,
        credit: concurrency,
        streams: handler instanceof AsyncGeneratorFunction,
        random: Math.random,
      },
      now(),
    );
  }

  get service(): string {
    return this.#options.service;
  }

  get ready(): boolean {
    return this.#session.ready;
  }

  get inFlight(): number {
    return this.#jobs.size;
  }

  get sessionsLost(): number {
    return this.#session.conversationsLost;
  }

  /** Resolves when the worker has left the broker. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Connects to the broker and registers; does nothing after a drain. */
  start() {
    if (this.#session.stopped) return;
    const { broker, concurrency, heartbeat, log } = this.#options;
    this.#timer = setInterval(() => this.#perform(this.#session.tick(now())), tickMs(heartbeat));
    log({ event: "worker.started", broker, concurrency });
    this.#perform(this.#session.tick(now()));
  }

  /** Accepts no more requests, finishes those in flight, then leaves the broker. */
  drain() {
    this.#perform(this.#session.drain(now()));
  }

  /** Aborts the signals of all handlers that run. */
  abort(reason: Error) {
    for (const [, job] of this.#jobs) job.abort(reason);
  }

  #perform(effects: WorkerEffect[]) {
    for (const effect of effects) {
      switch (effect.do) {
        case "connect":
          this.#socket = this.#open();
          break;
        case "close":
          this.#socket?.close(LINGER_MS);
          this.#socket = null;
          break;
        case "send":
          this.#socket?.send(effect.frames);
          break;
        case "serve":
          this.#work(effect.request);
          break;
        case "abort":
          this.#jobs.get(effect.request.number)?.abort(new Error(effect.reason));
          break;
        case "log":
          this.#options.log(effect.entry);
          break;
        case "stopped":
          this.#stop();
          break;
      }
    }
  }

  #open(): Connected {
    const { broker, transport, heartbeat } = this.#options;
    const timing = { deadAfterMs: deadAfterMs(heartbeat) };
    return transport.connect(broker, timing, {
      opened: () => this.#session.opened(now()),
      message: (frames) => this.#perform(this.#session.receive(frames, now())),
      alive: () => this.#session.alive(now()),
      gone: () => this.#perform(this.#session.gone(now())),
      failed: (failure) => this.#perform(this.#session.failed(failure, now())),
    });
  }

  #work(request: InFlightRequest) {
    const { handler, log } = this.#options;
    const job = new Job(request, now());
    this.#jobs.add(request.number, job);
    const body = runHandler(handler, job, this.#part, log);
    if (body instanceof Promise) void body.then((body) => this.#done(job, body));
    else this.#done(job, body);
  }

  #part = ({ request }: Job, body: Frame[]) => {
    this.#perform(this.#session.partial(request, body, now()));
  };

  #done(job: Job, body: Frame[]) {
    const { request, begunAt } = job;
    this.#jobs.delete(request.number);
    const effects = this.#session.reply(request, body, now());
    this.stats.add(outcomeOf(job, body), now() - begunAt);
    this.#perform(effects);
  }

  #stop() {
    clearInterval(this.#timer);
    this.#options.log({ event: "worker.stopped" });
    this.#stopped.resolve();
  }
}

const now = () => performance.now();

/** For how long a closed socket goes on sending, so that the last commands arrive. */
const LINGER_MS = 1000;

const AsyncGeneratorFunction = async function* () {}.constructor as new () => Handler;
