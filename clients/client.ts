// The public client: many requests outstanding on one socket. ClientSession (session.ts) decides;
// this file owns the socket, the clock and the promises.

import { randomUUID } from "node:crypto";
import { EventEmitter, on } from "node:events";
import { MapByNumber } from "../collections/map-by-number.ts";
import { decodeErrorReply } from "../protocol/error-reply.ts";
import { type Frame, sizeOf } from "../protocol/frame.ts";
import { decodeJson } from "../protocol/json.ts";
import { BODY_FRAMES_MAX, bodyBytesMax, serviceFrame } from "../protocol/mdp.ts";
import { type Contract, validated } from "../runtime/contract.ts";
import { checkSignal } from "../runtime/invalid-option.ts";
import type { InputOf, OutputOf, StandardSchema } from "../runtime/standard-schema.ts";
import { ConnectFailures } from "../transport/connect-failures.ts";
import type { Connected, ConnectFailure, Unreachable } from "../transport/transport.ts";
import {
  type Body,
  type ClientOptions,
  type ClientSettings,
  checkRequestOptions,
  checkService,
  clientSettings,
  framesOf,
  jsonOf,
  type RequestOptions,
} from "./client-options.ts";
import {
  BrokenOff,
  Closed,
  InvalidReply,
  NoBroker,
  rejectionOf,
  ServiceFailed,
  TimedOut,
} from "./errors.ts";
import type { Outcome } from "./outcome.ts";
import { ClientSession, type Effect, type UnmatchedReplies } from "./session.ts";

export { type Contract, contract } from "../runtime/contract.ts";
export {
  BrokenOff,
  Cancelled,
  Closed,
  Expired,
  InvalidReply,
  NoBroker,
  NotAllowed,
  NoWorker,
  Quarantined,
  QueueFull,
  Refused,
  RequestError,
  ServiceFailed,
  ShuttingDown,
  TimedOut,
  TooManyCallers,
} from "./errors.ts";
export type { Body, ClientOptions, Frame, RequestOptions, UnmatchedReplies, Unreachable };

type PartHandler = (body: Frame[]) => void;

/** Makes the error of a failed request. request() calls it, so that the stack shows the caller. */
type Failure = () => Error;

type Waiter = {
  settle(result: Frame[] | Failure): void;
  reject(reason: unknown): void;
  onPart: PartHandler | null; // Null: the caller wants the reply as a whole.
  service: string;
  callId: string | null;
  timeoutMs: number;
  unlisten: (() => void) | null; // Removes the listener from the caller's signal.
};

/**
 * A client of one broker. It connects on the first request, reconnects by itself, and matches each
 * reply to its request.
 */
export class Client {
  #broker: string;
  #settings: ClientSettings;
  #session: ClientSession;
  #socket: Connected | null = null;
  #failures = new ConnectFailures();
  #waiters = new MapByNumber<Waiter>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #isUnref = false;
  #holds = true; // The connection keeps the process running.

  /**
   * `broker` is an endpoint such as tcp://localhost:5555. The broker may start later. Throws a
   * RangeError if `broker` is not an endpoint, or if an option is invalid.
   */
  constructor(broker: string, options: ClientOptions = {}) {
    this.#settings = clientSettings(broker, options);
    this.#broker = broker;
    this.#session = new ClientSession({
      ...this.#settings,
      random: Math.random,
      newId: randomUUID,
    });
  }

  /**
   * How often the client sent a request again: to a broker that was silent, gone or shutting down.
   */
  get retries(): number {
    return this.#session.resent;
  }

  /**
   * Replies for which no request waited: `duplicate` counts second replies, `late` counts replies
   * to requests that had timed out or were aborted.
   */
  get unmatchedReplies(): Readonly<UnmatchedReplies> {
    return this.#session.unmatchedReplies;
  }

  /**
   * Sends a request to a service and resolves to the reply's body, one Buffer per frame. While the
   * broker is silent, the client sends the request again under the same id. A broker that
   * restarted, or that does not support ids, may execute the request more than once.
   *
   * Rejects with a RequestError: ServiceFailed, TimedOut, NoBroker, Closed or Refused (NotAllowed,
   * NoWorker, Expired, TooManyCallers, Cancelled, QueueFull, Quarantined, ShuttingDown); with the
   * reason of `signal`; or with a RangeError if the service name, the body or an option is invalid.
   */
  async request(service: string, body: Body, options: RequestOptions = {}): Promise<Frame[]> {
    const result = await this.#start(service, framesOf(body), options, null);
    if (typeof result === "function") throw result();
    return result;
  }

  /**
   * Sends a request to a service and yields the parts of its reply as they arrive, one body each
   * (18/MDP: PARTIAL commands, then a FINAL). A worker that does not stream yields one part. An
   * empty FINAL ends the stream and is not yielded. timeoutMs limits the whole reply. A caller that
   * leaves the loop cancels the request.
   *
   * Throws the errors of request(). After the first part it throws BrokenOff if the connection or
   * the worker is lost, and ServiceFailed or Refused if the worker fails.
   */
  stream(
    service: string,
    body: Body,
    options: RequestOptions = {},
  ): AsyncGenerator<Frame[], void, undefined> {
    return this.#stream(service, framesOf(body), options);
  }

  async *#stream(
    service: string,
    body: Frame[],
    options: RequestOptions,
  ): AsyncGenerator<Frame[], void, undefined> {
    const cancel = new AbortController();
    const { signal } = options;
    checkSignal(signal);
    // An error may arrive after the caller has left the loop.
    const events = new EventEmitter().on("error", () => {});
    const parts = on(events, "part", { close: ["end"] });
    let begun = false;
    let failure: Failure | null = null;
    const onPart = (frames: Frame[]) => {
      begun = true;
      events.emit("part", frames);
    };
    const either = AbortSignal.any(signal ? [signal, cancel.signal] : [cancel.signal]);
    this.#start(service, body, { ...options, signal: either }, onPart).then(
      (result) => {
        if (typeof result === "function") failure = result;
        else if (!begun || !isEmpty(result)) onPart(result);
        events.emit("end");
      },
      (reason) => events.emit("error", reason),
    );
    try {
      for await (const [frames] of parts) yield frames;
      if (failure) throw (failure as Failure)();
    } finally {
      cancel.abort();
    }
  }

  /**
   * Sends a value as JSON and resolves to the value of the reply, for a service whose handler is
   * json(handler). With a contract, the worker validates the request (ServiceFailed with status 400 names
   * the path of a wrong value), and this client validates the reply.
   *
   * Rejects with the errors of request(), with InvalidReply if the reply is not JSON or not valid, or with
   * a RangeError if `value` has no JSON.
   */
  json<Reply = unknown>(service: string, value: unknown, options?: RequestOptions): Promise<Reply>;
  json<Request extends StandardSchema, Reply extends StandardSchema>(
    contract: Contract<Request, Reply>,
    value: InputOf<Request>,
    options?: RequestOptions,
  ): Promise<OutputOf<Reply>>;
  async json(to: string | Contract, value: unknown, options: RequestOptions = {}) {
    const contract = typeof to === "object" ? to : null;
    const service = contract ? contract.service : (to as string);
    const result = await this.#start(service, framesOf(jsonOf(value)), options, null);
    if (typeof result === "function") throw result();
    const decoded = decodeJson(result);
    const reply =
      contract && "value" in decoded ? await validated(contract.reply, decoded.value) : decoded;
    if ("value" in reply) return reply.value;
    const { id: callId = null } = options;
    throw new InvalidReply(service, `the reply of ${service} is ${reply.problem}`, { callId });
  }

  /**
   * Resolves to the ms of a round trip to the broker. Rejects with TimedOut, NoBroker or Closed, and with
   * the reason of `signal`. A broker without 8/MMI does not answer: TimedOut.
   */
  async ping(options: Pick<RequestOptions, "timeoutMs" | "signal"> = {}): Promise<number> {
    const sentAt = performance.now();
    await this.request("mmi.service", "mmi.service", { timeoutMs: 5000, ...options });
    return performance.now() - sentAt;
  }

  /**
   * From now on the client keeps the process running only while requests are outstanding. On libzmq a
   * connection always keeps it running. Returns this client.
   */
  unref(): this {
    this.#isUnref = true;
    this.#startOrStopTimer();
    return this;
  }

  /** Undoes unref(). */
  ref(): this {
    this.#isUnref = false;
    this.#startOrStopTimer();
    return this;
  }

  /** Rejects all outstanding requests with Closed, closes the socket and lets the process end. */
  close() {
    this.#closed = true;
    this.#socket?.close(0);
    this.#socket = null;
    for (const [id, { service, callId }] of this.#waiters) {
      this.#session.cancel(id);
      const sentence = "the client was closed before the reply arrived";
      this.#removeWaiter(id)?.settle(() => new Closed(service, sentence, { callId }));
    }
    this.#startOrStopTimer();
  }

  /** The same as close(), for `using`. */
  [Symbol.dispose]() {
    this.close();
  }

  /** The same as close(), for `await using`. */
  async [Symbol.asyncDispose]() {
    this.close();
  }

  #start(
    service: string,
    body: Frame[],
    options: RequestOptions,
    onPart: PartHandler | null,
  ): Promise<Frame[] | Failure> {
    return new Promise((settle, reject) => {
      this.#request(service, body, options, { settle, reject, onPart });
    });
  }

  #request(
    service: string,
    frames: Frame[],
    options: RequestOptions,
    callbacks: Pick<Waiter, "settle" | "reject" | "onPart">,
  ) {
    checkRequestOptions(options);
    const { timeoutMs = 30_000, signal, id: givenId } = options;
    signal?.throwIfAborted();
    if (this.#closed)
      throw new Closed(service, "the client is closed", { callId: givenId ?? null });
    checkService(service);
    const name = serviceFrame(service);
    this.#check(name, frames);
    const now = performance.now();
    const [id, effects, callId] = this.#session.request(name, frames, now + timeoutMs, now, {
      callId: givenId,
      inParts: callbacks.onPart !== null,
    });
    const unlisten = signal ? this.#listen(id, signal) : null;
    this.#waiters.add(id, { ...callbacks, service, callId, timeoutMs, unlisten });
    this.#perform(effects);
  }

  #listen(id: number, signal: AbortSignal): () => void {
    const abort = () => this.#abort(id, signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  }

  #check(name: Frame, frames: Frame[]) {
    if (frames.length === 0)
      throw new RangeError("the request body has no frames; it must have at least one");
    const size = sizeOf([name, ...frames]);
    const most = bodyBytesMax(this.#settings.messageBytesMax);
    if (size > most) {
      throw new RangeError(`the request has ${size} bytes; the broker accepts at most ${most}`);
    }
    if (frames.length > BODY_FRAMES_MAX) {
      const limit = `the broker accepts at most ${BODY_FRAMES_MAX}`;
      throw new RangeError(`the request has ${frames.length} frames; ${limit}`);
    }
  }

  #abort(id: number, reason: unknown) {
    this.#perform(this.#session.cancel(id));
    this.#removeWaiter(id)?.reject(reason);
  }

  #removeWaiter(id: number): Waiter | undefined {
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
          this.#holds = true;
          break;
        case "close":
          this.#socket?.close(0);
          this.#socket = null;
          break;
        case "send":
          this.#socket?.send(effect.frames);
          break;
        case "part":
          this.#waiters.get(effect.id)?.onPart?.(effect.body);
          break;
        case "settle":
          this.#settle(effect.id, effect.outcome);
          break;
      }
    }
    this.#startOrStopTimer();
  }

  #connect() {
    const { silenceMs } = this.#settings;
    const timing = { deadAfterMs: 4 * silenceMs, leaseMs: silenceMs };
    return this.#settings.transport.connect(this.#broker, timing, {
      opened: () => {
        this.#failures.connected();
        this.#session.opened(performance.now());
      },
      message: (frames) => this.#perform(this.#session.receive(frames, performance.now())),
      alive: () => this.#session.alive(performance.now()),
      gone: () => this.#perform(this.#session.gone(performance.now())),
      failed: (failure) => this.#failed(failure),
    });
  }

  #failed(failure: ConnectFailure) {
    this.#session.failed(failure);
    const { code, message: reason, retryMs } = failure;
    if (!this.#failures.isReported(code, performance.now())) return;
    this.#settings.onUnreachable({ broker: this.#broker, code, reason, retryMs });
  }

  #settle(id: number, outcome: Outcome) {
    const waiter = this.#removeWaiter(id);
    if (!waiter) return;
    const { service, callId } = waiter;
    if (!("reply" in outcome)) return waiter.settle(() => this.#errorOf(outcome, waiter));
    const errorReply = decodeErrorReply(outcome.reply);
    if (!errorReply) return waiter.settle(outcome.reply);
    const { code, sentence } = errorReply;
    waiter.settle(() => new ServiceFailed(service, code, sentence, callId));
  }

  #errorOf(outcome: Exclude<Outcome, { reply: Frame[] }>, waiter: Waiter): Error {
    const { service, callId, timeoutMs } = waiter;
    if ("refused" in outcome)
      return rejectionOf(service, outcome.refused, outcome.sentence, callId);
    if (outcome.failed === "broken off") {
      const sentence = "the connection was lost in the middle of the reply";
      return new BrokenOff(service, sentence, { callId });
    }
    if (outcome.failed === "timed out") {
      const sentence = `no reply from ${service} within ${timeoutMs} ms`;
      return new TimedOut(service, sentence, { callId });
    }
    const reason = outcome.reason === null ? "" : ` (${outcome.reason})`;
    const sentence = `no broker answers at ${this.#broker}${reason}`;
    return new NoBroker(service, sentence, { callId });
  }

  /** Runs the timer only while requests are outstanding, so an idle client uses no CPU. */
  #startOrStopTimer() {
    const wanted = this.#session.outstanding > 0;
    if (wanted && !this.#timer) {
      this.#timer = setInterval(
        () => this.#perform(this.#session.tick(performance.now())),
        TICK_MS,
      );
    } else if (!wanted && this.#timer) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.#hold(wanted || !this.#isUnref);
  }

  /** Whether the connection keeps the process running. */
  #hold(keepsRunning: boolean) {
    if (keepsRunning === this.#holds) return;
    this.#holds = keepsRunning;
    this.#socket?.hold?.(keepsRunning);
  }
}

/** The interval between two checks of the deadlines, in ms. A time-out is late by this at most. */
const TICK_MS = 25;

const isEmpty = (body: Frame[]) => body.length === 1 && body[0]?.length === 0;
