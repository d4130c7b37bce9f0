// The worker's half of MDP/Worker (7/MDP, 18/MDP) as a pure state machine. Commands, events of the
// socket and the time go in; effects come out. worker.ts has the socket, timer and handlers.
//
// Theory of operation
//
// A conversation is the time from one READY to the close of its socket. The session has one
// conversation at a time. When the broker is lost, the session opens the next one after a backoff.
// A request belongs to its conversation. When the conversation ends, the broker redelivers the
// request to another worker, so the session aborts the handler and drops its reply.
//
// MDP has no answer to READY. A worker is therefore `unconfirmed` until the broker sends a command.
// A broker that stays silent may have failed to parse READY: see ReadyVariants.
//
// Each state but `stopped` has one timeout, kept in #timeoutAt:
//
//   disconnected   no socket; the timeout is the backoff
//   opening        READY waits on a new socket for its connection; the timeout is the lease
//   unconfirmed    the connection carries READY; the timeout is the lease of the broker
//   confirmed      the broker has sent a command, so the worker is registered; same timeout
//   draining       the program is to stop: handlers finish, new requests are ignored; same timeout
//   leaving        DISCONNECT is sent, and the socket stays open for LEAVE_MS so that it arrives
//   stopped        the socket is closed for good
//
// These events cause transitions:
//
//   connect        the backoff is over
//   opened         the transport has a connection
//   command        the broker sent a command other than DISCONNECT
//   lost           the connection broke, or the broker sent DISCONNECT or nothing for a lease
//   drain          the program is to stop
//   finished       the last request in flight has its reply
//   left           LEAVE_MS are over, or the connection broke after our DISCONNECT
//
// TRANSITIONS is complete: a state ignores the events that it does not list. Only a `confirmed`
// worker accepts requests, so the states before it have none in flight and `drain` skips `draining`.

import { MapByNumber } from "../collections/map-by-number.ts";
import { backoffMs } from "../protocol/backoff.ts";
import { type Dialect, MDP_0_1, MDP_0_1_TEXT, MDP_0_2, streams } from "../protocol/dialects.ts";
import { decodeErrorReply, encodeErrorReply } from "../protocol/error-reply.ts";
import { type Frame, sizeOf, toFrame } from "../protocol/frame.ts";
import { type Heartbeat, LEAVE_MS, leaseMs } from "../protocol/heartbeat.ts";
import {
  BODY_FRAMES_MAX,
  bodyBytesMax,
  decode,
  encode,
  type WorkerCommand,
} from "../protocol/mdp.ts";
import type { Metadata } from "../protocol/metadata.ts";
import { requestId } from "../protocol/request-id.ts";
import type { ConnectFailure } from "../transport/transport.ts";
import type { SessionEvent } from "./events.ts";

type State =
  | "disconnected"
  | "opening"
  | "unconfirmed"
  | "confirmed"
  | "draining"
  | "leaving"
  | "stopped";

type Event = "connect" | "opened" | "command" | "lost" | "drain" | "finished" | "left";

// biome-ignore format: a table, to be read by its columns.
const TRANSITIONS: Record<State, Partial<Record<Event, State>>> = {
  disconnected: { connect: "opening", drain: "stopped" },
  opening:      { opened: "unconfirmed", command: "confirmed", lost: "disconnected", drain: "leaving" },
  unconfirmed:  { opened: "unconfirmed", command: "confirmed", lost: "disconnected", drain: "leaving" },
  confirmed:    { opened: "confirmed",   command: "confirmed", lost: "disconnected", drain: "draining" },
  draining:     { opened: "draining",    command: "draining",  lost: "stopped",      finished: "leaving" },
  leaving:      { left: "stopped" },
  stopped:      {},
};

/** A request that the broker delivered and that has no reply yet. */
export type InFlightRequest = {
  /** Counts the requests of this session, from 1. */
  number: number;
  /** The client address of the REQUEST, which its REPLY must carry unchanged; opaque. */
  client: Frame;
  /** The metadata of the REQUEST; undefined if the broker sent none. */
  metadata: Metadata | undefined;
  /** The body of the REQUEST, at least one frame. */
  body: Frame[];
  /** The time limit of its handler, on the clock of `now`, in ms. */
  deadline: number;
  /** The parts of the reply so far. Only for dialects without PARTIAL: one REPLY takes them all. */
  parts: Frame[];
  /** The size of `parts`, in bytes. */
  size: number;
};

/**
 * An action for the program. The program must take the actions in the order given.
 *
 * - `connect`: open a new socket, which is a new address at the broker.
 * - `close`: close the socket and ignore its further events.
 * - `send`: send the frames on the socket.
 * - `serve`: run the handler, then call `reply`.
 * - `abort`: the reply is not needed any more; stop the handler.
 * - `log`: log the entry.
 * - `stopped`: end the program; the session does nothing more.
 */
export type WorkerEffect =
  | { do: "connect" }
  | { do: "close" }
  | { do: "send"; frames: Frame[] }
  | { do: "serve"; request: InFlightRequest }
  | { do: "abort"; request: InFlightRequest; reason: string }
  | { do: "log"; entry: SessionEvent }
  | { do: "stopped" };

export type WorkerSessionOptions = {
  /** The endpoint of the broker, for the log. */
  broker: string;
  /** The name of the service in READY: 1 to 255 bytes of UTF-8. */
  service: string;
  /** How many requests the broker may have in flight at this worker: 1 to 65,535. */
  credit: number;
  /** Whether replies may come in parts, which takes PARTIAL and so 18/MDP. */
  streams: boolean;
  /** How long a handler may take, in ms. */
  timeLimitMs: number;
  /** The largest message that the broker accepts, in bytes. */
  messageBytesMax: number;
  /** The heartbeat of the broker; both sides must have the same. */
  heartbeat: Heartbeat;
  /** Returns a number from 0 up to 1; spreads the reconnects of many workers. */
  random: () => number;
};

export class WorkerSession {
  #options: WorkerSessionOptions;
  #state: State = "disconnected";
  #timeoutAt = 0; // When the state times out; see the theory of operation.
  #readyVariants: ReadyVariants;
  #dialect: Dialect; // Of this conversation.
  #heartbeatAt = 0; // When the next HEARTBEAT is due.
  #hasSentHeartbeat = false; // In this conversation.
  #tickedAt: number; // When `tick` was last called.
  #failures = 0; // Conversations in a row in which the broker sent no command.
  #conversationsLost = 0;
  #lastFailure: { code: string; loggedAt: number } | null = null; // Null after a connection.
  #inFlight = new MapByNumber<InFlightRequest>(); // Oldest first.
  #lastNumber = 0;

  constructor(options: WorkerSessionOptions, now: number) {
    this.#options = options;
    this.#dialect = options.streams ? MDP_0_2 : MDP_0_1;
    this.#readyVariants = new ReadyVariants({ dialect: this.#dialect, credit: options.credit });
    this.#tickedAt = now;
  }

  /** Whether the worker is registered, as far as it can know, and accepts requests. */
  get ready(): boolean {
    return this.#state === "confirmed";
  }

  /** How many conversations ended before this worker ended them. */
  get conversationsLost(): number {
    return this.#conversationsLost;
  }

  /** Acts on the time. The program must call this several times per heartbeat interval. */
  tick(now: number): WorkerEffect[] {
    const sinceTickMs = now - this.#tickedAt;
    this.#tickedAt = now;
    switch (this.#state) {
      case "stopped":
        return [];
      case "disconnected":
        return now >= this.#timeoutAt ? this.#connect(now) : [];
      case "leaving":
        return now >= this.#timeoutAt ? this.#left() : [];
      default: {
        const isStalled = sinceTickMs > this.#options.heartbeat.intervalMs;
        const stalled = isStalled ? [this.#stalled(sinceTickMs, now)] : [];
        if (now >= this.#timeoutAt) return [...stalled, ...this.#silent(now)];
        return [...stalled, ...this.#overrun(now), ...this.#heartbeat(now)];
      }
    }
  }

  /** The transport has a connection and delivers READY, so the lease of the broker begins. */
  opened(now: number) {
    if (!this.#transition("opened")) return;
    this.#lastFailure = null;
    this.#renewLease(now);
  }

  /**
   * The transport could not connect, and tries again. Logs the first failure since the last
   * connection and each change of its code; a failure that lasts, once per FAILURE_LOG_MS.
   */
  failed({ code, message, retryMs }: ConnectFailure, now: number): WorkerEffect[] {
    if (this.#state !== "opening") return [];
    const last = this.#lastFailure;
    if (last?.code === code && now - last.loggedAt < FAILURE_LOG_MS) return [];
    this.#lastFailure = { code, loggedAt: now };
    const { broker } = this.#options;
    return [log({ event: "session.unreachable", broker, code, reason: message, retryMs })];
  }

  /** A message arrived on the current socket. */
  receive(frames: Frame[], now: number): WorkerEffect[] {
    const command = decode(frames);
    // 7/MDP, Opening and Closing a Connection: a worker ignores invalid messages.
    if (command.header !== "worker") return [];
    if (command.name === "DISCONNECT") return this.#disconnected(now);
    const before = this.#state;
    if (!this.#transition("command")) return [];
    const effects = this.#commandReceived(before, now);
    // A draining worker ignores a REQUEST: the broker requeues it when our DISCONNECT arrives.
    if (command.name !== "REQUEST" || this.#state !== "confirmed") return effects;
    const { client, metadata, body } = command;
    const deadline = now + this.#options.timeLimitMs;
    const number = ++this.#lastNumber;
    const request = { number, client, metadata, body, deadline, parts: [], size: 0 };
    this.#inFlight.add(number, request);
    return [...effects, { do: "serve", request }];
  }

  /** The connection broke. */
  gone(now: number): WorkerEffect[] {
    if (this.#state === "leaving") return this.#left();
    return this.#lose("the connection broke", now);
  }

  /**
   * A handler yielded a part of its reply and goes on. A part after the end of the request's
   * conversation is dropped. A part that makes the reply too large aborts the handler.
   */
  partial(request: InFlightRequest, body: Frame[], now: number): WorkerEffect[] {
    if (!this.#inFlight.has(request.number)) return [];
    const { client, parts } = request;
    const size = request.size + sizeOf(body);
    const tooLarge = this.#tooLarge(client, size, parts.length + body.length);
    if (tooLarge) {
      this.#inFlight.delete(request.number);
      const reply = this.#send({ name: "REPLY", client, body: tooLarge }, now);
      return [
        { do: "abort", request, reason: String(tooLarge[0]) },
        reply,
        ...this.#leaveIfFinished(now),
      ];
    }
    // 18/MDP, Request and Reply Processing: PARTIALs go out before the one FINAL.
    if (streams(this.#dialect)) return [this.#send({ name: "PARTIAL", client, body }, now)];
    for (const frame of body) parts.push(frame);
    request.size = size;
    return [];
  }

  /** A handler ended. A reply after the end of the request's conversation is dropped. */
  reply(request: InFlightRequest, body: Frame[], now: number): WorkerEffect[] {
    if (!this.#inFlight.delete(request.number)) return [];
    return [this.#reply(request, body, now), ...this.#leaveIfFinished(now)];
  }

  /** The program is to stop: accept no more requests, finish those in flight, then leave. */
  drain(now: number): WorkerEffect[] {
    if (!this.#transition("drain")) return [];
    const draining = log({ event: "session.draining", inFlight: this.#inFlight.size });
    if (this.#state === "stopped") return [draining, { do: "stopped" }];
    if (this.#state === "leaving") return [draining, this.#leave(now)];
    return [draining, ...this.#leaveIfFinished(now)];
  }

  /** Takes the declared transition. Returns false, and does nothing, if there is none. */
  #transition(event: Event): boolean {
    const next = TRANSITIONS[this.#state][event];
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }

  #connect(now: number): WorkerEffect[] {
    this.#transition("connect");
    const { dialect, credit } = this.#readyVariants.next;
    this.#dialect = dialect;
    this.#hasSentHeartbeat = false;
    this.#renewLease(now);
    // 7/MDP, Opening and Closing a Connection: one READY per conversation, on a new DEALER socket.
    return [
      { do: "connect" },
      this.#send({ name: "READY", service: toFrame(this.#options.service), credit }, now),
      log({ event: "session.opened", dialect: dialect.name, credit }),
    ];
  }

  /** Handles any command of the broker except DISCONNECT. */
  #commandReceived(before: State, now: number): WorkerEffect[] {
    this.#renewLease(now); // 7/MDP, Heartbeating: any command but DISCONNECT counts as a heartbeat.
    this.#failures = 0;
    if (before === "confirmed" || before === "draining") return [];
    this.#readyVariants.understood();
    return [log({ event: "session.confirmed" })];
  }

  #renewLease(now: number) {
    this.#timeoutAt = now + leaseMs(this.#options.heartbeat);
  }

  /**
   * This process did not run for `ms`, and could neither read what the broker sent nor work. So the
   * lease begins again, and each handler gets the time back.
   */
  #stalled(ms: number, now: number): WorkerEffect {
    this.#renewLease(now);
    for (const [, request] of this.#inFlight) request.deadline += ms;
    return log({ event: "session.stalled", ms: Math.round(ms) });
  }

  // 7/MDP, Heartbeating: a worker reconnects when the broker is silent for liveness × interval.
  #silent(now: number): WorkerEffect[] {
    if (this.#state === "unconfirmed") this.#readyVariants.notUnderstood();
    const missing = this.#state === "opening" ? "connection" : "heartbeat";
    return this.#lose(`no ${missing} for ${leaseMs(this.#options.heartbeat)} ms`, now);
  }

  /**
   * The broker sent DISCONNECT. A broker that dropped our READY does so on our first HEARTBEAT: to
   * that broker it is a command before READY.
   */
  #disconnected(now: number): WorkerEffect[] {
    if (this.#state === "unconfirmed" && this.#hasSentHeartbeat)
      this.#readyVariants.notUnderstood();
    // 7/MDP, Opening and Closing a Connection: READY goes out again, on a new socket only.
    return this.#lose("the broker sent DISCONNECT", now);
  }

  /** Ends the conversation. The broker redelivers its requests, so their handlers are aborted. */
  #lose(reason: string, now: number): WorkerEffect[] {
    if (!this.#transition("lost")) return [];
    const retryMs = Math.round(backoffMs(this.#failures, this.#options.random()));
    this.#failures += 1;
    this.#conversationsLost += 1;
    this.#timeoutAt = now + retryMs;
    const abandoned = [...this.#inFlight].map(([, request]) => request);
    this.#inFlight = new MapByNumber();
    const stopped: WorkerEffect[] = this.#state === "stopped" ? [{ do: "stopped" }] : [];
    return [
      { do: "close" },
      ...abandoned.map((request): WorkerEffect => ({ do: "abort", request, reason })),
      log({ event: "session.lost", reason, abandoned: abandoned.length, retryMs }),
      ...stopped,
    ];
  }

  /** A handler past its time limit ends with an error reply; the worker goes on. */
  #overrun(now: number): WorkerEffect[] {
    const effects: WorkerEffect[] = [];
    const { timeLimitMs: limitMs } = this.#options;
    for (const [, request] of this.#inFlight) {
      if (request.deadline > now) break; // All have the same limit, so the oldest is due first.
      this.#inFlight.delete(request.number);
      const reason = `the service took longer than ${limitMs} ms`;
      const id = requestId(request.client);
      effects.push({ do: "abort", request, reason });
      effects.push(log({ event: "request.overran", request: id, limitMs }));
      effects.push(this.#reply(request, encodeErrorReply(500, reason), now));
    }
    return [...effects, ...this.#leaveIfFinished(now)];
  }

  // 7/MDP, Heartbeating: a worker sends HEARTBEAT at the interval, idle or busy.
  #heartbeat(now: number): WorkerEffect[] {
    if (now < this.#heartbeatAt) return [];
    this.#hasSentHeartbeat = true;
    return [this.#send({ name: "HEARTBEAT" }, now)];
  }

  #leaveIfFinished(now: number): WorkerEffect[] {
    if (this.#inFlight.size > 0 || !this.#transition("finished")) return [];
    return [this.#leave(now)];
  }

  // 7/MDP, Opening and Closing a Connection: a worker may send DISCONNECT at any time.
  #leave(now: number): WorkerEffect {
    this.#timeoutAt = now + LEAVE_MS;
    return this.#send({ name: "DISCONNECT" }, now);
  }

  #left(): WorkerEffect[] {
    this.#transition("left");
    return [{ do: "close" }, { do: "stopped" }];
  }

  // 7/MDP, Request and Reply Processing: REPLY carries the client address of its REQUEST.
  #reply({ client, parts }: InFlightRequest, last: Frame[], now: number): WorkerEffect {
    // An error reply replaces the parts.
    const body = decodeErrorReply(last) ? last : [...parts, ...last];
    const tooLarge = this.#tooLarge(client, sizeOf(body), body.length);
    return this.#send({ name: "REPLY", client, body: tooLarge ?? body }, now);
  }

  /** The error reply that replaces a body too large for the broker, or null if the body fits. */
  #tooLarge(client: Frame, size: number, frames: number): Frame[] | null {
    const bytes = client.length + size;
    const bytesMax = bodyBytesMax(this.#options.messageBytesMax);
    const limit = "the broker accepts at most";
    if (bytes > bytesMax)
      return encodeErrorReply(500, `the reply has ${bytes} bytes; ${limit} ${bytesMax}`);
    if (frames <= BODY_FRAMES_MAX) return null;
    return encodeErrorReply(500, `the reply has ${frames} frames; ${limit} ${BODY_FRAMES_MAX}`);
  }

  /** Every command that the worker sends counts as its heartbeat, so HEARTBEAT can wait. */
  #send(command: WorkerCommandToSend, now: number): WorkerEffect {
    this.#heartbeatAt = now + this.#options.heartbeat.intervalMs;
    return { do: "send", frames: encode({ header: "worker", dialect: this.#dialect, ...command }) };
  }
}

/** The least time between two log entries for one reason why the broker cannot be reached, in ms. */
const FAILURE_LOG_MS = 10_000;

/** One form of READY. `credit` null: without the frame that 7/MDP does not have. */
type ReadyVariant = { dialect: Dialect; credit: number | null };

/**
 * The forms of READY, and which one opens the next conversation. Our own form has a frame for the
 * credit, and a worker that streams uses 18/MDP. A broker that knows only 7/MDP may drop such a
 * READY without an answer, so after a conversation without one the session tries the next form:
 *
 *   1. own: our dialect, with credit
 *   2. own again, since the broker may have been silent for another reason
 *   3. plain 7/MDP: dialect 0.1, no credit
 *   4. text dialect: 0.1 with ASCII words as commands, no credit
 *
 * and then begins again. A broker that understood our own form once is never sent another.
 */
class ReadyVariants {
  #variants: ReadyVariant[];
  #index = 0;
  #ownIsUnderstood = false;

  constructor(own: ReadyVariant) {
    const plain = { dialect: MDP_0_1, credit: null };
    this.#variants = [own, own, plain, { dialect: MDP_0_1_TEXT, credit: null }];
  }

  get next(): ReadyVariant {
    return this.#variants[this.#index] as ReadyVariant;
  }

  /** The broker answered. The next conversation opens with our own form: the broker may be new. */
  understood() {
    if (this.next === this.#variants[0]) this.#ownIsUnderstood = true;
    this.#index = 0;
  }

  /** The broker had a connection and did not answer. */
  notUnderstood() {
    if (!this.#ownIsUnderstood) this.#index = (this.#index + 1) % this.#variants.length;
  }
}

type WithoutHeader<Command> = Command extends WorkerCommand
  ? Omit<Command, "header" | "dialect">
  : never;
type WorkerCommandToSend = WithoutHeader<WorkerCommand>;

const log = (entry: SessionEvent): WorkerEffect => ({ do: "log", entry });
