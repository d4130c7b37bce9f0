// What a caller uses: one Client, as many requests outstanding as wanted. One socket, one timer
// while there is something to wait for, and the LazyPirate that decides.

import { decodeFailure } from "../protocol/failure.ts";
import { type Frame, sizeOf, toFrame } from "../protocol/frame.ts";
import { bodyBytesMax, MESSAGE_BYTES_MAX, serviceFrame } from "../protocol/mdp.ts";
import { connect } from "../transport/libzmq.ts";
import type { Connected } from "../transport/transport.ts";
import { type Effect, LazyPirate, type Outcome } from "./lazy-pirate.ts";

export type { Frame };

/** A request that got no good reply. What kind it is, its class tells. */
export class RequestError extends Error {
  readonly service: string;

  constructor(service: string, sentence: string) {
    super(sentence);
    this.name = new.target.name;
    this.service = service;
  }
}

/** No reply came within the request's timeoutMs. It may have been executed, or may yet be. */
export class TimedOut extends RequestError {}

/** The broker was silent on every try. */
export class NoBroker extends RequestError {}

/** The client was closed before the reply came. */
export class Closed extends RequestError {}

/** The service answered with an error: 400 it refused the input, 404 no such thing, 500 it failed. */
export class ServiceFailed extends RequestError {
  readonly code: number;

  constructor(service: string, code: number, sentence: string) {
    super(service, sentence);
    this.code = code;
  }
}

export type ClientOptions = {
  silenceMs?: number; // How long the broker may be silent before it is asked anew; 2500.
  tries?: number; // How often it is asked; 3.
  messageBytesMax?: number; // The largest request that the broker takes; 16 MiB.
};

export type RequestOptions = {
  timeoutMs?: number; // How long to wait for the reply, all tries together; 30,000.
  signal?: AbortSignal; // Stops the waiting; the request may be executed all the same.
};

type Waiter = {
  service: string;
  timeoutMs: number;
  resolve(body: Frame[]): void;
  reject(error: unknown): void;
};

export class Client {
  #broker: string;
  #options: Required<ClientOptions>;
  #pirate: LazyPirate;
  #socket: Connected | null = null;
  #waiters = new Map<number, Waiter>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `broker` is an endpoint such as tcp://localhost:5555. It need not be there yet. */
  constructor(broker: string, options: ClientOptions = {}) {
    const defaults = { silenceMs: 2500, tries: 3, messageBytesMax: MESSAGE_BYTES_MAX };
    this.#broker = broker;
    this.#options = { ...defaults, ...options };
    this.#pirate = new LazyPirate({ ...this.#options, random: Math.random });
  }

  /** How many times a request was sent again, to a broker that was silent or gone. */
  get retries(): number {
    return this.#pirate.resent;
  }

  /** Replies that nobody waited for: to a request that had its reply, or that was given up. */
  get stray(): Readonly<{ duplicate: number; late: number }> {
    return this.#pirate.strays;
  }

  /**
   * Asks a service, and resolves to the frames of the reply's body. Strings go as UTF-8. While the
   * broker is silent the request is sent again, so it may be executed more than once.
   *
   * Rejects with TimedOut, NoBroker, ServiceFailed or Closed, with the reason of `signal`, or with a
   * RangeError for what no broker would take.
   */
  async request(
    service: string,
    body: string | Uint8Array | (string | Uint8Array)[],
    { timeoutMs = 30_000, signal }: RequestOptions = {},
  ): Promise<Frame[]> {
    signal?.throwIfAborted();
    if (this.#closed) throw new Closed(service, "the client is closed");
    const name = serviceFrame(service);
    const frames = (Array.isArray(body) ? body : [body]).map(toFrame);
    this.#check(name, frames);
    const { promise, resolve, reject } = Promise.withResolvers<Frame[]>();
    const now = performance.now();
    const [id, effects] = this.#pirate.request(name, frames, now + timeoutMs, now);
    this.#waiters.set(id, { service, timeoutMs, resolve, reject });
    const abort = () => this.#abort(id, signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#perform(effects);
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Rejects what is outstanding with Closed, and lets the process end. */
  close() {
    this.#closed = true;
    this.#socket?.close(0);
    this.#socket = null;
    for (const [id, { service, reject }] of this.#waiters) {
      this.#pirate.cancel(id);
      reject(new Closed(service, "the client was closed before the reply came"));
    }
    this.#waiters.clear();
    this.#keepTime();
  }

  #check(name: Frame, frames: Frame[]) {
    if (frames.length === 0) throw new RangeError("a request's body has at least one frame");
    const size = sizeOf([name, ...frames]);
    const most = bodyBytesMax(this.#options.messageBytesMax);
    if (size > most) {
      throw new RangeError(`the request has ${size} bytes; the broker takes no more than ${most}`);
    }
  }

  #abort(id: number, reason: unknown) {
    this.#pirate.cancel(id);
    this.#waiters.get(id)?.reject(reason);
    this.#waiters.delete(id);
    this.#keepTime();
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
        case "settle":
          this.#settle(effect.id, effect.outcome);
          break;
      }
    }
    this.#keepTime();
  }

  #connect() {
    const timing = { deadAfterMs: 4 * this.#options.silenceMs };
    return connect(this.#broker, timing, {
      opened: () => this.#pirate.opened(performance.now()),
      message: (frames) => this.#perform(this.#pirate.receive(frames, performance.now())),
      gone: () => this.#perform(this.#pirate.gone(performance.now())),
    });
  }

  #settle(id: number, outcome: Outcome) {
    const waiter = this.#waiters.get(id);
    if (!waiter) return;
    this.#waiters.delete(id);
    const { service, timeoutMs, resolve, reject } = waiter;
    if ("reply" in outcome) {
      const failure = decodeFailure(outcome.reply);
      if (failure) reject(new ServiceFailed(service, failure.code, failure.sentence));
      else resolve(outcome.reply);
    } else if (outcome.failed === "timed out") {
      reject(new TimedOut(service, `no reply from ${service} within ${timeoutMs} ms`));
    } else {
      reject(new NoBroker(service, `no broker answers at ${this.#broker}`));
    }
  }

  /** The clock runs while something is outstanding, so that an idle client keeps no process up. */
  #keepTime() {
    const wanted = this.#pirate.outstanding > 0;
    if (wanted && !this.#timer) {
      this.#timer = setInterval(
        () => this.#perform(this.#pirate.tick(performance.now())),
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
