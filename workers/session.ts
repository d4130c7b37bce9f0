// The worker's half of MDP/Worker (7/MDP, 18/MDP) as a pure state machine. Commands, events of the
// socket and the time go in; effects come out. worker.ts has the socket, timer and handlers.
// session-model.ts has its data types, session-states.ts its states, ready-choice.ts the choice of READY,
// places.ts the places of handlers.

import { MapByNumber } from "../collections/map-by-number.ts";
import { backoffMs } from "../protocol/backoff.ts";
import { decodeProbeReply, mayAnswerProbe } from "../protocol/capabilities.ts";
import { type Dialect, MDP_0_1, MDP_0_2, streams } from "../protocol/dialects.ts";
import { decodeErrorReply, encodeErrorReply } from "../protocol/error-reply.ts";
import { type Frame, sizeOf, toFrame } from "../protocol/frame.ts";
import { LEAVE_MS, leaseMs } from "../protocol/heartbeat.ts";
import { type ClientCommand, decode, encode, type WorkerCommand } from "../protocol/mdp.ts";
import { incarnationIn, type Pair } from "../protocol/pairs.ts";
import type { About } from "../protocol/ready.ts";
import { REQUEST_ID_BYTES, requestId } from "../protocol/request-id.ts";
import { ConnectFailures } from "../transport/connect-failures.ts";
import type { ConnectFailure } from "../transport/transport.ts";
import type { SessionEvent } from "./events.ts";
import { Places } from "./places.ts";
import { probeMessages, ReadyChoice, type ReadyForm } from "./ready-choice.ts";
import { whyTooLarge } from "./reply-bounds.ts";
import type { InFlightRequest, WorkerEffect, WorkerSessionOptions } from "./session-model.ts";
import {
  awaitsCommand,
  type Event,
  hasLeft,
  isBeforeReady,
  type State,
  TRANSITIONS,
} from "./session-states.ts";

export class WorkerSession {
  #options: WorkerSessionOptions;
  #state: State = "disconnected";
  #timeoutAt = 0; // When the state times out; see session-states.ts.
  #readyChoice: ReadyChoice;
  #dialect: Dialect; // Of this conversation.
  #credit: number | null = null; // In READY of this conversation.
  #isExtended = false; // READY of this conversation has keys.
  #heartbeatAt = 0; // When the next HEARTBEAT is due.
  #hasSentHeartbeat = false; // In this conversation.
  #tickedAt: number; // When `tick` was last called.
  #failures = 0; // Conversations in a row in which the broker sent no command.
  #conversationsLost = 0;
  #connectFailures = new ConnectFailures();
  #inFlight = new MapByNumber<InFlightRequest>(); // Oldest first.
  #places: Places;
  #stopsAt = 0; // After a drain: the stop waits for handlers until then.
  #lastNumber = 0;

  constructor(options: WorkerSessionOptions, now: number) {
    this.#options = options;
    const { streams, credit, name, plainReady, heartbeat } = options;
    this.#dialect = streams ? MDP_0_2 : MDP_0_1;
    this.#places = new Places(credit);
    const about: About = { name, knows: new Set(["meta", "cancel", "shares"]) };
    this.#readyChoice = new ReadyChoice({
      streams,
      about,
      plainOnly: plainReady,
      leaseMs: leaseMs(heartbeat),
    });
    this.#tickedAt = now;
  }

  /** Whether the worker is registered, as far as it can know, and accepts requests. */
  get ready(): boolean {
    return this.#state === "confirmed" && this.#places.open > 0;
  }

  get stopped(): boolean {
    return this.#state === "stopped";
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
        return now >= this.#timeoutAt && this.#places.open > 0 ? this.#connect(now) : [];
      case "finishing":
        return this.#stopIfEnded(now);
      case "leaving":
      case "closing":
        return now >= this.#timeoutAt ? this.#left(now) : [];
      default: {
        const isStalled = sinceTickMs > this.#options.heartbeat.intervalMs;
        const stalled = isStalled ? [this.#stalled(sinceTickMs, now)] : [];
        if (now >= this.#timeoutAt) return [...stalled, ...this.#silent(now)];
        return [...stalled, ...this.#overrun(now), ...this.#heartbeat(now)];
      }
    }
  }

  /** The transport has a connection and delivers our messages, so the timeout of the state begins. */
  opened(now: number) {
    if (!this.#transition("opened")) return;
    this.#connectFailures.connected();
    this.#renewTimeout(now);
  }

  /**
   * The transport could not connect, and tries again. Logs the failures that ConnectFailures reports.
   */
  failed({ code, message, retryMs }: ConnectFailure, now: number): WorkerEffect[] {
    if (this.#state !== "opening" && this.#state !== "reaching") return [];
    if (!this.#connectFailures.isReported(code, now)) return [];
    const { broker } = this.#options;
    return [log({ event: "session.unreachable", broker, code, reason: message, retryMs })];
  }

  /** A message arrived on the current socket. */
  receive(frames: Frame[], now: number): WorkerEffect[] {
    const command = decode(frames, this.#isExtended);
    if (command.header === "client") return this.#probeReplied(command, now);
    if (command.header === "invalid") return this.#undecodable(frames, command.reason, now);
    if (command.name === "DISCONNECT") return this.#disconnected(now);
    const before = this.#state;
    if (!this.#transition("command")) return [];
    const pairs = (command.name === "HEARTBEAT" && command.pairs) || NO_PAIRS;
    const effects = this.#commandReceived(before, pairs, now);
    if (command.name !== "REQUEST") return effects;
    const { client, metadata, body } = command;
    const isAccepted = this.#state === "confirmed" && this.#inFlight.size < this.#places.open;
    if (!isAccepted) return [...effects, ...this.#notAccepted(client, now)];
    const deadline = now + this.#options.timeLimitMs;
    const number = ++this.#lastNumber;
    const request = {
      number,
      client,
      metadata,
      body,
      deadline,
      parts: [],
      size: 0,
      oversized: false,
    };
    this.#inFlight.add(number, request);
    effects.push({ do: "serve", request });
    return effects;
  }

  /** Bytes of a long message of the broker arrived: they renew its lease, as the message will. */
  alive(now: number) {
    if (this.#transition("bytes")) this.#renewTimeout(now);
  }

  /** The connection broke. */
  gone(now: number): WorkerEffect[] {
    if (hasLeft(this.#state)) return this.#left(now);
    if (this.#state === "probing") this.#readyChoice.brokeOff();
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
    const reason = whyTooLarge(
      this.#options.messageBytesMax,
      client,
      size,
      parts.length + body.length,
    );
    if (reason !== null) {
      this.#giveUp(request);
      return [
        { do: "abort", request, reason },
        ...this.#roomChanged(now),
        ...this.#oversized(request, reason, now),
        ...this.#leaveIfFinished(now),
      ];
    }
    // 18/MDP, Request and Reply Processing: PARTIALs go out before the one FINAL.
    if (streams(this.#dialect)) return [this.#send({ name: "PARTIAL", client, body }, now)];
    for (const frame of body) parts.push(frame);
    request.size = size;
    return [];
  }

  /** A handler ended. The reply to a request that was given up is dropped, and its place is free. */
  reply(request: InFlightRequest, body: Frame[], now: number): WorkerEffect[] {
    if (this.#places.ended(request))
      return this.#state === "finishing" ? this.#stopIfEnded(now) : this.#placeFreed(now);
    if (!this.#inFlight.delete(request.number)) return [];
    const effects = this.#reply(request, body, now);
    this.#renewIfReduced();
    effects.push(...this.#leaveIfFinished(now));
    return effects;
  }

  /** The program is to stop: accept no more requests, finish those in flight, then leave. */
  drain(now: number): WorkerEffect[] {
    const before = this.#state;
    if (!this.#transition("drain")) return [];
    this.#stopsAt = now + this.#options.timeLimitMs;
    const draining = log({ event: "session.draining", inFlight: this.#inFlight.size });
    if (isBeforeReady(before)) return [draining, { do: "close" }, ...this.#stopIfEnded(now)];
    if (this.#state === "finishing") return [draining, ...this.#stopIfEnded(now)];
    if (before === "closing") return [draining];
    if (this.#state === "leaving") return [draining, this.#leave(now)];
    if (this.#inFlight.size > 0) return [draining, ...this.#limitedTo(0, now)];
    return [draining, ...this.#leaveIfFinished(now)];
  }

  /** So many requests may be in flight here. A broker without pairs goes by the credit. */
  #limitedTo(limit: number, now: number): WorkerEffect[] {
    if (!this.#isExtended) return [];
    return [this.#send({ name: "HEARTBEAT", pairs: [{ name: "limit", limit }] }, now)];
  }

  /**
   * A worker that drains, or has no place free, returns a REQUEST that crossed its `limit`, so that
   * another worker gets the request at once. A broker without pairs requeues it when our DISCONNECT
   * arrives, so a worker without a place renews its conversation.
   */
  #notAccepted(client: Frame, now: number): WorkerEffect[] {
    const mayReturn = this.#state === "draining" || this.#state === "confirmed";
    if (!mayReturn) return [];
    if (!this.#isExtended || client.length !== REQUEST_ID_BYTES) {
      this.#transition("resized");
      return this.#leaveIfFinished(now);
    }
    const returned: Pair = { name: "returned", addresses: [client] };
    return [this.#send({ name: "HEARTBEAT", pairs: [returned] }, now)];
  }

  /** The handler of this request goes on, and keeps its place. */
  #giveUp(request: InFlightRequest) {
    this.#inFlight.delete(request.number);
    this.#places.giveUp(request);
  }

  /**
   * Other places are free than before. A broker with pairs gets the new limit. Any other broker gets
   * DISCONNECT once no place is left; the next READY waits for a place.
   */
  #roomChanged(now: number): WorkerEffect[] {
    const { open, givenUp } = this.#places;
    if (this.#state !== "confirmed" && this.#state !== "unconfirmed") return [];
    const full = open > 0 ? [] : [log({ event: "session.full", abandoned: givenUp })];
    if (open === 0 && !this.#isExtended) this.#transition("resized");
    return [...full, ...this.#limitedTo(open, now)];
  }

  #placeFreed(now: number): WorkerEffect[] {
    this.#renewIfReduced();
    return [...this.#roomChanged(now), ...this.#leaveIfFinished(now)];
  }

  /** A broker without pairs learns of further places through the credit of the next READY. */
  #renewIfReduced() {
    if (this.#isExtended || this.#inFlight.size > 0) return;
    if (this.#credit !== null && this.#credit < this.#places.open) this.#transition("resized");
  }

  /** Takes the declared transition. Returns false, and does nothing, if there is none. */
  #transition(event: Event): boolean {
    const next = TRANSITIONS[this.#state][event];
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }

  #connect(now: number): WorkerEffect[] {
    const form = this.#readyChoice.begin();
    this.#transition(form ? "connect" : "probe");
    this.#isExtended = false;
    this.#hasSentHeartbeat = false;
    this.#renewTimeout(now);
    // 7/MDP, Opening and Closing a Connection: one READY per conversation, on a new DEALER socket.
    if (form) return [{ do: "connect" }, ...this.#ready(form, now)];
    const probes = probeMessages().map((frames): WorkerEffect => ({ do: "send", frames }));
    return [{ do: "connect" }, ...probes];
  }

  #ready({ dialect, hasCredit, about }: ReadyForm, now: number): WorkerEffect[] {
    this.#dialect = dialect;
    this.#isExtended = about !== null;
    this.#renewTimeout(now);
    const service = toFrame(this.#options.service);
    const credit = hasCredit ? this.#places.open : null;
    this.#credit = credit;
    return [
      this.#send({ name: "READY", service, credit, ...(about && { about }) }, now),
      log({ event: "session.opened", dialect: dialect.name, credit, extended: this.#isExtended }),
    ];
  }

  /**
   * Ends the conversation: the message may have been a REQUEST, which this worker would never answer.
   * The broker then delivers it again or quarantines it. Replies to the probes, in any form, and
   * messages before READY change nothing.
   */
  #undecodable(frames: Frame[], reason: string, now: number): WorkerEffect[] {
    if (isBeforeReady(this.#state) || mayAnswerProbe(frames)) return [];
    if (this.#state === "unconfirmed") this.#readyChoice.notUnderstood();
    return this.#lose(`the broker sent an invalid message (${reason})`, now);
  }

  /** A message of MDP/Client: nothing but the reply to a probe comes to a worker. */
  #probeReplied(message: ClientCommand, now: number): WorkerEffect[] {
    const has = decodeProbeReply(message);
    const form = has === null ? null : this.#readyChoice.replied(has);
    if (!form) return [];
    if (this.#transition("chosen")) return this.#ready(form, now);
    if (!this.#transition("outdone")) return [];
    return [log({ event: "session.renewing" }), ...this.#leaveIfFinished(now)];
  }

  /** Handles any command of the broker except DISCONNECT, with its pairs. */
  #commandReceived(before: State, pairs: Pair[], now: number): WorkerEffect[] {
    this.#renewTimeout(now); // 7/MDP, Heartbeating: any command but DISCONNECT counts as a heartbeat.
    this.#failures = 0;
    const effects: WorkerEffect[] = [];
    for (const pair of pairs)
      if (pair.name === "cancel") effects.push(...this.#cancelled(pair.addresses));
    if (!awaitsCommand(before)) return effects;
    this.#readyChoice.understood();
    return [log({ event: "session.confirmed", incarnation: incarnationIn(pairs) }), ...effects];
  }

  /** Aborts these requests. They stay in flight until their REPLY, which frees the broker's slot. */
  #cancelled(addresses: Frame[]): WorkerEffect[] {
    const cancelled = new Set(addresses.map((address) => address.toString("latin1")));
    return [...this.#inFlight]
      .filter(([, { client }]) => cancelled.has(client.toString("latin1")))
      .map(([, request]) => ({ do: "abort", request, reason: CANCELLED }));
  }

  #renewTimeout(now: number) {
    const { heartbeat } = this.#options;
    const isProbing = this.#state === "probing";
    this.#timeoutAt = now + (isProbing ? this.#readyChoice.probeMs : leaseMs(heartbeat));
  }

  /**
   * This process did not run for `ms`, and could neither read what the broker sent nor work. So the
   * timeout begins again, and each handler gets the time back.
   */
  #stalled(ms: number, now: number): WorkerEffect {
    this.#renewTimeout(now);
    for (const [, request] of this.#inFlight) request.deadline += ms;
    return log({ event: "session.stalled", ms: Math.round(ms) });
  }

  // 7/MDP, Heartbeating: a worker reconnects when the broker is silent for liveness × interval.
  #silent(now: number): WorkerEffect[] {
    if (this.#state === "probing") {
      this.#transition("chosen");
      return this.#ready(this.#readyChoice.unanswered(), now);
    }
    if (this.#state === "unconfirmed") this.#readyChoice.notUnderstood();
    const hasNoConnection = this.#state === "opening" || this.#state === "reaching";
    const missing = hasNoConnection ? "connection" : "heartbeat";
    return this.#lose(`no ${missing} for ${leaseMs(this.#options.heartbeat)} ms`, now);
  }

  /**
   * The broker sent DISCONNECT. A broker that dropped our READY does so on our first HEARTBEAT: to
   * that broker it is a command before READY.
   */
  #disconnected(now: number): WorkerEffect[] {
    if (this.#state === "unconfirmed" && this.#hasSentHeartbeat) this.#readyChoice.notUnderstood();
    if (isBeforeReady(this.#state)) this.#readyChoice.brokeOff();
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
    for (const request of abandoned) this.#places.giveUp(request);
    this.#inFlight = new MapByNumber();
    const stopped = this.#state === "finishing" ? this.#stopIfEnded(now) : [];
    return [
      { do: "close" },
      ...abandoned.map((request): WorkerEffect => ({ do: "abort", request, reason })),
      log({ event: "session.lost", reason, abandoned: abandoned.length, retryMs }),
      ...stopped,
    ];
  }

  /** A handler past its time limit ends with an error reply; the worker goes on. */
  #overrun(now: number): WorkerEffect[] {
    const { timeLimitMs: limitMs } = this.#options;
    const overran: InFlightRequest[] = [];
    for (const [, request] of this.#inFlight) {
      if (request.deadline > now) break; // All have the same limit, so the oldest is due first.
      overran.push(request);
    }
    if (overran.length === 0) return [];
    for (const request of overran) this.#giveUp(request);
    const effects = this.#roomChanged(now); // Before the replies, after which the broker delivers.
    for (const request of overran) {
      const reason = `the service took longer than ${limitMs} ms`;
      const id = requestId(request.client);
      effects.push({ do: "abort", request, reason });
      effects.push(log({ event: "request.overran", request: id, limitMs }));
      effects.push(...this.#reply(request, encodeErrorReply(500, reason), now));
    }
    return [...effects, ...this.#leaveIfFinished(now)];
  }

  // 7/MDP, Heartbeating: a worker sends HEARTBEAT at the interval, idle or busy.
  #heartbeat(now: number): WorkerEffect[] {
    if (now < this.#heartbeatAt || isBeforeReady(this.#state)) return [];
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

  #left(now: number): WorkerEffect[] {
    this.#transition("left");
    if (this.#state === "finishing") return [{ do: "close" }, ...this.#stopIfEnded(now)];
    this.#timeoutAt = now;
    return [{ do: "close" }];
  }

  /** Stops once the last handler has ended, or the time limit since the drain is over. */
  #stopIfEnded(now: number): WorkerEffect[] {
    const { givenUp } = this.#places;
    if (givenUp > 0 && now < this.#stopsAt) return [];
    this.#transition("ended");
    const left = givenUp > 0 ? [log({ event: "handlers.left", count: givenUp })] : [];
    return [...left, { do: "stopped" }];
  }

  // 7/MDP, Request and Reply Processing: REPLY carries the client address of its REQUEST.
  #reply(request: InFlightRequest, last: Frame[], now: number): WorkerEffect[] {
    const { client, parts } = request;
    // An error reply replaces the parts.
    const body = decodeErrorReply(last) ? last : [...parts, ...last];
    const reason = whyTooLarge(this.#options.messageBytesMax, client, sizeOf(body), body.length);
    if (reason !== null) return this.#oversized(request, reason, now);
    return [this.#send({ name: "REPLY", client, body }, now)];
  }

  /** An error reply replaces a body that is too large for the broker. */
  #oversized(request: InFlightRequest, reason: string, now: number): WorkerEffect[] {
    request.oversized = true;
    const { client } = request;
    return [
      log({ event: "reply.oversized", request: requestId(client), reason }),
      this.#send({ name: "REPLY", client, body: encodeErrorReply(500, reason) }, now),
    ];
  }

  /** Every command that the worker sends counts as its heartbeat, so HEARTBEAT can wait. */
  #send(command: WorkerCommandToSend, now: number): WorkerEffect {
    this.#heartbeatAt = now + this.#options.heartbeat.intervalMs;
    return { do: "send", frames: encode({ header: "worker", dialect: this.#dialect, ...command }) };
  }
}

/** The least time between two log entries for one reason why the broker cannot be reached, in ms. */
const NO_PAIRS: Pair[] = [];

/** The reason for which the broker's `cancel` aborts a handler. */
const CANCELLED = "the client cancelled the call, or the call expired";

type WithoutHeader<Command> = Command extends WorkerCommand
  ? Omit<Command, "header" | "dialect">
  : never;
type WorkerCommandToSend = WithoutHeader<WorkerCommand>;

const log = (entry: SessionEvent): WorkerEffect => ({ do: "log", entry });
