// What a caller uses: one Client, as many requests outstanding as wanted. One socket, one timer
// while there is something to wait for, and the LazyPirate that decides.

import { randomUUID } from "node:crypto";
import { EventEmitter, on } from "node:events";
import { MapByNumber } from "../collections/map-by-number.ts";
import { CALL_ID_BYTES_MAX, CALL_ID_BYTES_MIN } from "../protocol/call.ts";
import { decodeErrorReply } from "../protocol/error-reply.ts";
import { type Frame, sizeOf, toFrame } from "../protocol/frame.ts";
import { BODY_FRAMES_MAX, bodyBytesMax, MESSAGE_BYTES_MAX, serviceFrame } from "../protocol/mdp.ts";
import { isBrokerEndpoint } from "../transport/endpoint.ts";
import type { Connected, Transport } from "../transport/transport.ts";
import * as zmtp from "../transport/zmtp/sockets.ts";
import { BrokenOff, Closed, NoBroker, refusal, ServiceFailed, TimedOut } from "./errors.ts";
import { ClientSession, type Effect, type Outcome } from "./session.ts";

export {
  BrokenOff,
  Closed,
  Expired,
  NoBroker,
  NoWorker,
  Quarantined,
  QueueFull,
  Refused,
  RequestError,
  ServiceFailed,
  ShuttingDown,
  TimedOut,
} from "./errors.ts";
export type { Frame };

export type ClientOptions = {
  silenceMs?: number; // How long the broker may be silent before it is asked anew; 2500.
  tries?: number; // How often it is asked; 3.
  messageBytesMax?: number; // The largest request that the broker takes; 16 MiB.
  transport?: Transport; // From loadTransport(); zmtp.
};

export type RequestOptions = {
  /**
   * How long to wait for the reply, all tries together; 30,000. The broker gives the request up at
   * the same time, and its word on that may take 250 ms more.
   */
  timeoutMs?: number;
  signal?: AbortSignal; // Stops the waiting; the request may be executed all the same.
  /**
   * Names the call, in 16 to 128 bytes that nobody can guess. Asked again under its id, by any client,
   * a call is not executed again: the reply goes to whoever asked last. Without one, a random id.
   */
  id?: string | undefined;
};

type Body = string | Uint8Array | (string | Uint8Array)[];

type PartHandler = (body: Frame[]) => void;

type Waiter = {
  resolve(body: Frame[]): void;
  reject(error: unknown): void;
  part: PartHandler | null;
  service: string;
  timeoutMs: number;
  unlisten: (() => void) | null; // To the signal.
};

export class Client {
  #broker: string;
  #options: Required<ClientOptions>;
  #session: ClientSession;
  #socket: Connected | null = null;
  #waiters = new MapByNumber<Waiter>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * `broker` is an endpoint such as tcp://localhost:5555; it need not be there yet. Throws a RangeError
   * for what is no endpoint.
   */
  constructor(broker: string, options: ClientOptions = {}) {
    if (!isBrokerEndpoint(broker)) {
      throw new RangeError(`"${broker}" is no endpoint such as tcp://localhost:5555`);
    }
    const defaults = {
      silenceMs: 2500,
      tries: 3,
      messageBytesMax: MESSAGE_BYTES_MAX,
      transport: zmtp,
    };
    this.#broker = broker;
    this.#options = { ...defaults, ...options };
    this.#session = new ClientSession({
      ...this.#options,
      random: Math.random,
      newId: randomUUID,
    });
  }

  /** How many times a request was sent again, to a broker that was silent, gone or shutting down. */
  get retries(): number {
    return this.#session.resent;
  }

  /** Replies that nobody waited for: to a request that had its reply, or that was given up. */
  get stray(): Readonly<{ duplicate: number; late: number }> {
    return this.#session.unmatchedReplies;
  }

  /**
   * Asks a service, and resolves to the frames of the reply's body. Strings go as UTF-8. While the
   * broker is silent the request is sent again, under the same id; a broker that was restarted or
   * does not know ids may have it executed more than once.
   *
   * Rejects with a RequestError: ServiceFailed, TimedOut, NoBroker, Closed, or the broker's Refused
   * (NoWorker, Expired, QueueFull, Quarantined, ShuttingDown). Besides, with the reason of `signal`,
   * or with a RangeError for what no broker would take.
   */
  request(service: string, body: Body, options: RequestOptions = {}): Promise<Frame[]> {
    return this.#ask(service, body, options, null);
  }

  /**
   * Asks a service, and yields the parts of its reply as they come, each a body's frames: so many
   * PARTIALs and a FINAL (18/MDP), or the whole reply if its worker does not stream. An empty FINAL
   * only ends the stream. The parts have timeoutMs together. Who stops reading gives the request up.
   *
   * Throws as request() rejects. The stream ends early with BrokenOff if the connection is lost after
   * the first part, and with ServiceFailed, or Refused by the broker, if its worker is.
   */
  async *stream(
    service: string,
    body: Body,
    options: RequestOptions = {},
  ): AsyncGenerator<Frame[], void, undefined> {
    const stop = new AbortController();
    const { signal = stop.signal } = options;
    const news = new EventEmitter().on("error", () => {}); // It may come when nobody reads any more.
    const parts = on(news, "part", { close: ["end"] });
    let begun = false;
    const part = (frames: Frame[]) => {
      begun = true;
      news.emit("part", frames);
    };
    const either = AbortSignal.any([signal, stop.signal]);
    this.#ask(service, body, { ...options, signal: either }, part).then(
      (last) => {
        if (!begun || !isNothing(last)) part(last);
        news.emit("end");
      },
      (error) => news.emit("error", error),
    );
    try {
      for await (const [frames] of parts) yield frames;
    } finally {
      stop.abort();
    }
  }

  #ask(
    service: string,
    body: Body,
    options: RequestOptions,
    part: PartHandler | null,
  ): Promise<Frame[]> {
    return new Promise((resolve, reject) => {
      this.#begin(service, body, options, { resolve, reject, part });
    });
  }

  #begin(
    service: string,
    body: Body,
    { timeoutMs = 30_000, signal, id: callId }: RequestOptions,
    told: Pick<Waiter, "resolve" | "reject" | "part">,
  ) {
    signal?.throwIfAborted();
    if (this.#closed) throw new Closed(service, "the client is closed");
    const name = serviceFrame(service);
    const frames = (Array.isArray(body) ? body : [body]).map(toFrame);
    this.#check(name, frames);
    if (callId !== undefined) checkId(callId);
    const now = performance.now();
    const [id, effects] = this.#session.request(name, frames, now + timeoutMs, now, {
      callId,
      inParts: told.part !== null,
    });
    const unlisten = signal ? this.#listen(id, signal) : null;
    this.#waiters.add(id, { ...told, service, timeoutMs, unlisten });
    this.#perform(effects);
  }

  #listen(id: number, signal: AbortSignal): () => void {
    const abort = () => this.#abort(id, signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  }

  /** Rejects what is outstanding with Closed, and lets the process end. */
  close() {
    this.#closed = true;
    this.#socket?.close(0);
    this.#socket = null;
    for (const [id, { service }] of this.#waiters) {
      this.#session.cancel(id);
      this.#take(id)?.reject(new Closed(service, "the client was closed before the reply came"));
    }
    this.#keepTime();
  }

  #check(name: Frame, frames: Frame[]) {
    if (frames.length === 0) throw new RangeError("a request's body has at least one frame");
    const size = sizeOf([name, ...frames]);
    const most = bodyBytesMax(this.#options.messageBytesMax);
    if (size > most) {
      throw new RangeError(`the request has ${size} bytes; the broker takes no more than ${most}`);
    }
    if (frames.length > BODY_FRAMES_MAX) {
      const no = `the broker takes no more than ${BODY_FRAMES_MAX}`;
      throw new RangeError(`the request has ${frames.length} frames; ${no}`);
    }
  }

  #abort(id: number, reason: unknown) {
    this.#session.cancel(id);
    this.#take(id)?.reject(reason);
    this.#keepTime();
  }

  /** It has its outcome now. */
  #take(id: number): Waiter | undefined {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    waiter?.unlisten?.();
    return waiter;
  }

  #perform(effects: Effect[]) {
    for (const effect of effects) {
      switch (effect.do) {
        case "connect":
          this.#socket = this.#connect();
          break;
        case "close":
          this.#socket?.close(0);
          this.#socket = null;
          break;
        case "send":
          this.#socket?.send(effect.frames);
          break;
        case "part":
          this.#waiters.get(effect.id)?.part?.(effect.body);
          break;
        case "settle":
          this.#settle(effect.id, effect.outcome);
          break;
      }
    }
    this.#keepTime();
  }

  #connect() {
    const timing = { deadAfterMs: 4 * this.#options.silenceMs };
    return this.#options.transport.connect(this.#broker, timing, {
      opened: () => this.#session.opened(performance.now()),
      message: (frames) => this.#perform(this.#session.receive(frames, performance.now())),
      gone: () => this.#perform(this.#session.gone(performance.now())),
    });
  }

  #settle(id: number, outcome: Outcome) {
    const waiter = this.#take(id);
    if (!waiter) return;
    const { service, timeoutMs, resolve, reject } = waiter;
    if ("reply" in outcome) {
      const failure = decodeErrorReply(outcome.reply);
      if (failure) reject(new ServiceFailed(service, failure.code, failure.sentence));
      else resolve(outcome.reply);
    } else if ("refused" in outcome) {
      reject(refusal(service, outcome.refused, outcome.sentence));
    } else if (outcome.failed === "broken off") {
      reject(new BrokenOff(service, "the connection was lost in the middle of the reply"));
    } else if (outcome.failed === "timed out") {
      reject(new TimedOut(service, `no reply from ${service} within ${timeoutMs} ms`));
    } else {
      reject(new NoBroker(service, `no broker answers at ${this.#broker}`));
    }
  }

  /** The clock runs while something is outstanding, so that an idle client wakes nobody. */
  #keepTime() {
    const wanted = this.#session.outstanding > 0;
    if (wanted && !this.#timer) {
      this.#timer = setInterval(
        () => this.#perform(this.#session.tick(performance.now())),
        CLOCK_MS,
      );
    } else if (!wanted && this.#timer) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}

/** How often the deadlines are looked at: a time-out is late by this much at most. */
const CLOCK_MS = 25;

const isNothing = (body: Frame[]) => body.length === 1 && body[0]?.length === 0;

function checkId(id: string) {
  const size = Buffer.byteLength(id);
  if (size >= CALL_ID_BYTES_MIN && size <= CALL_ID_BYTES_MAX) return;
  throw new RangeError(
    `an id has ${CALL_ID_BYTES_MIN} to ${CALL_ID_BYTES_MAX} bytes, and this one has ${size}`,
  );
}
