// The shipped worker's session and jobs, wired as workers/worker.ts wires them, without a process
// around them. The handler returns the body of its request.

import { MapByNumber } from "../../collections/map-by-number.ts";
import { decodeErrorReply } from "../../protocol/error-reply.ts";
import type { Frame } from "../../protocol/frame.ts";
import { DEFAULT_HEARTBEAT, deadAfterMs } from "../../protocol/heartbeat.ts";
import type { Connected, Transport } from "../../transport/transport.ts";
import { type Handler, Job, runHandler } from "../../workers/job.ts";
import { WorkerSession } from "../../workers/session.ts";
import type { InFlightRequest, WorkerEffect } from "../../workers/session-model.ts";

const ENDPOINT = "tcp://127.0.0.1:1";
const OPTIONS = {
  broker: ENDPOINT,
  service: "echo",
  credit: 64,
  streams: false,
  timeLimitMs: 30_000,
  messageBytesMax: 2 ** 24,
  name: "echo",
  plainReady: false,
  heartbeat: DEFAULT_HEARTBEAT,
  random: Math.random,
};
const echo: Handler = (body) => body;

/** Serves `echo` on a connection of this transport. */
export class EchoWorker {
  #transport: Transport;
  #session = new WorkerSession(OPTIONS, performance.now());
  #socket: Connected | null = null;
  #jobs = new MapByNumber<Job>();

  constructor(transport: Transport) {
    this.#transport = transport;
    this.#perform(this.#session.tick(performance.now()));
  }

  #perform(effects: WorkerEffect[]) {
    for (const effect of effects) {
      if (effect.do === "send") this.#socket?.send(effect.frames);
      else if (effect.do === "serve") this.#work(effect.request);
      else if (effect.do === "connect") this.#socket = this.#connect();
      else if (effect.do !== "log") throw new Error(`the session of the worker: ${effect.do}`);
    }
  }

  #connect() {
    const timing = { deadAfterMs: deadAfterMs(DEFAULT_HEARTBEAT) };
    return this.#transport.connect(ENDPOINT, timing, {
      opened: () => this.#session.opened(performance.now()),
      message: (frames) => this.#perform(this.#session.receive(frames, performance.now())),
      gone() {},
      failed() {},
    });
  }

  #work(request: InFlightRequest) {
    const job = new Job(request, performance.now());
    this.#jobs.add(request.number, job);
    const body = runHandler(echo, job, noPart, () => {});
    if (body instanceof Promise) throw new Error("the handler of the worker is asynchronous");
    this.#done(job, body);
  }

  #done({ request }: Job, body: Frame[]) {
    this.#jobs.delete(request.number);
    if (decodeErrorReply(body)) throw new Error("the handler of the worker failed");
    this.#perform(this.#session.reply(request, body, performance.now()));
  }
}

function noPart() {
  throw new Error("the handler of the worker does not stream");
}
