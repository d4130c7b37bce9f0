// The client's half of MDP/Client without socket and clock: it matches replies to requests,
// enforces deadlines and recovers from a broker that is silent or gone.
//
// A caller hands in requests, messages, connection events and the time, and performs the effects
// that each method returns. session-states.ts declares the states and their transitions.
//
// A request normally goes as a call (protocol/call.ts): the broker answers each call with a reply
// or a status. The envelope carries the request's id, so many requests may be outstanding. Some
// brokers do not support calls, and some crash on an envelope. So the first message on a new socket
// is a plain capability probe. A broker without calls gets plain requests, one at a time.

import { MapByNumber } from "../collections/map-by-number.ts";
import { RecentNumbers } from "../collections/recent-numbers.ts";
import { backoffMs } from "../protocol/backoff.ts";
import { CALL, decodeStatus, encodeCall, STATUS } from "../protocol/call.ts";
import { TTL_MS_MAX } from "../protocol/call-options.ts";
import { type Dialect, MDP_0_1, MDP_0_2 } from "../protocol/dialects.ts";
import { EMPTY, type Frame } from "../protocol/frame.ts";
import { encodeCancel } from "../protocol/management.ts";
import { type ClientCommand, decode, encode } from "../protocol/mdp.ts";
import { type ConnectFailure, reasonOf } from "../transport/transport.ts";
import { frameOf, hasNoId, idOf, isManagementReply } from "./envelopes.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import {
  CONNECTION,
  type ConnectionEvent,
  type ConnectionState,
  FORM,
  MODE,
  type Mode,
  type ModeEvent,
  PROBES_FIRST,
} from "./session-states.ts";

/** An action that the session's caller must perform, in order. */
export type Effect =
  /** Open a new socket. */
  | { do: "connect" }
  /** Close the socket and drop its messages, sent or received. */
  | { do: "close" }
  /** Send the frames of one message on the socket. */
  | { do: "send"; frames: Frame[] }
  /** Pass on one part of the reply to request `id`; more follows. */
  | { do: "part"; id: number; body: Frame[] }
  /** Pass on the outcome of request `id`, its last event. */
  | { do: "settle"; id: number; outcome: Outcome };

export type ClientSessionOptions = {
  /** How long the broker may be silent while requests are outstanding, in ms. */
  silenceMs: number;
  /** The number of silences after which a request fails with "no broker". */
  tries: number;
  /** Returns a number from 0 up to 1; spreads reconnects and retries over time. */
  random: () => number;
  /** Returns a new call id that nobody can guess; protocol/call.ts has the bounds of its size. */
  newId: () => string;
};

export type RequestOptions = {
  /** The call id, if the caller has one; otherwise the session creates a random one. */
  callId?: string | undefined;
  /** True if the caller accepts a reply in parts (18/MDP, PARTIAL); false by default. */
  inParts?: boolean;
};

type Request = {
  service: Frame;
  body: Frame[];
  callId: string | null; // The same in every try; null for mmi.*, which is never sent as a call.
  inParts: boolean;
  streaming: boolean; // A part of the reply has arrived.
  deadline: number;
  silences: number; // Of the broker, while this request was outstanding.
  wasSent: boolean; // On this socket or an earlier one.
  sentAs: "call" | "plain" | null; // On this socket; null: queued until sendAt.
  sendAt: number;
  deferrals: number; // How often a broker that shuts down rejected it.
  outcomeAtDeadline: Outcome;
};

/** Replies for which no request waits, counted since the session was created. */
export type UnmatchedReplies = {
  /** Replies to requests that already had a reply. */
  duplicate: number;
  /** Replies to requests that the caller cancelled or that timed out. */
  late: number;
};

/** A client's conversation with one broker endpoint, over many sockets. All times are in ms. */
export class ClientSession {
  readonly unmatchedReplies: UnmatchedReplies = { duplicate: 0, late: 0 };
  #options: ClientSessionOptions;
  #requests = new MapByNumber<Request>(); // Those without an outcome, by id.
  #lastId = 0;
  #abandoned = new RecentNumbers(ABANDONED_MAX); // Ids on this socket; a reply to one of them is late.
  #connection: ConnectionState = "closed";
  #mode: Mode = "unknown";
  #probesOutstanding = 0; // On this socket.
  #plainInFlight: number | null = null; // The one plain request that was sent on this socket.
  #failures = 0; // Connections in a row on which the broker sent nothing.
  #connectFailure: string | null = NEVER_CONNECTED; // Null after a connection.
  #connectAt = 0; // While the connection is closed.
  #silentSince = 0; // The start of the silence timer.
  #tickedAt = 0; // When `tick` was last called while requests were outstanding.
  #probedSince = false; // A probe was sent since then.
  #resent = 0;

  constructor(options: ClientSessionOptions) {
    this.#options = options;
  }

  /** The number of requests without an outcome. */
  get outstanding(): number {
    return this.#requests.size;
  }

  /** How often the session sent a request again, after a silence or to the next broker. */
  get resent(): number {
    return this.#resent;
  }

  /** Starts a request. Returns its id, which is unique in this session, the effects, and its call id. */
  request(
    service: Frame,
    body: Frame[],
    deadline: number,
    now: number,
    { callId, inParts = false }: RequestOptions = {},
  ): [id: number, effects: Effect[], callId: string | null] {
    this.#lastId += 1;
    const id = this.#lastId;
    const request: Request = {
      service,
      body,
      callId: isManagement(service) ? null : (callId ?? this.#options.newId()),
      inParts,
      streaming: false,
      deadline,
      silences: 0,
      wasSent: false,
      sentAs: null,
      sendAt: now,
      deferrals: 0,
      outcomeAtDeadline: TIMED_OUT,
    };
    if (this.#requests.size === 0) this.#tickedAt = now;
    if (this.#requests.size === 0) this.#restartSilenceTimer(now);
    this.#requests.add(id, request);
    if (this.#connection === "closed")
      return [id, now >= this.#connectAt ? this.#connect(now) : [], request.callId];
    if (this.#mustReconnect) return [id, this.#reconnect(now), request.callId];
    return [id, this.#maySend() ? [this.#send(id, request, now)] : [], request.callId];
  }

  /**
   * Forgets a request; it gets no outcome. A call that was sent on this socket is cancelled at the
   * broker. Its reply then has status 410, and counts as late.
   */
  cancel(id: number): Effect[] {
    const cancelled = this.#requests.get(id);
    if (!cancelled) return [];
    this.#requests.delete(id);
    this.#abandon(id);
    const { callId, sentAs } = cancelled;
    if (callId === null || sentAs !== "call") return [];
    return [messageOf(MDP_0_1, MDP_0_1.delimiter, MMI_CANCEL, encodeCancel(callId))];
  }

  /** Handles a message from the current socket. */
  receive(frames: Frame[], now: number): Effect[] {
    this.#connectionEvent("received");
    this.#connectFailure = null;
    this.#failures = 0;
    const command = decode(frames);
    if (command.header === "invalid") return this.#undecodable(frames, now);
    // A plain broker's other messages prove nothing about the request in flight: it may be lost.
    if (FORM[this.#mode] !== "plain") this.#restartSilenceTimer(now);
    if (command.header !== "client") return [];
    const id = idOf(command);
    if (id === null) return hasNoId(command) ? this.#receivePlain(command, now) : [];
    const request = this.#requests.get(id);
    if (request) return this.#receiveFor(id, request, command, now);
    if (command.name !== "PARTIAL") this.#countUnmatched(this.#abandoned.has(id));
    return [];
  }

  /** Handles a new connection: the broker now receives the queued messages. */
  opened(now: number) {
    this.#connectionEvent("opened");
    this.#connectFailure = null;
    this.#restartSilenceTimer(now);
    for (const [, request] of this.#requests) {
      if (request.sentAs !== null) request.outcomeAtDeadline = TIMED_OUT;
    }
  }

  /** Handles a failed attempt to connect; the transport tries again. */
  failed(failure: ConnectFailure) {
    this.#connectFailure = reasonOf(failure);
  }

  /** Handles a sign of life of the broker that is no message: bytes of a long one, or a PING. */
  alive(now: number) {
    this.#restartSilenceTimer(now);
  }

  /** Handles a broken connection. */
  gone(now: number): Effect[] {
    if (this.#connection === "closed") return [];
    this.#modeEvent("broken");
    return this.#disconnect(now + backoffMs(this.#failures, this.#options.random()));
  }

  /** Handles the passing of time. The caller must call it often while requests are outstanding. */
  tick(now: number): Effect[] {
    const sinceTickMs = now - this.#tickedAt;
    this.#tickedAt = now;
    const expired = this.#expire(now);
    if (this.#requests.size === 0) return expired;
    if (this.#connection === "closed")
      return now >= this.#connectAt ? [...expired, ...this.#connect(now)] : expired;
    if (this.#mustReconnect) return [...expired, ...this.#reconnect(now)];
    const { silenceMs } = this.#options;
    // This process did not run, so it could not read the messages of the broker.
    if (sinceTickMs > silenceMs / 4) this.#restartSilenceTimer(now);
    const silence = now - this.#silentSince;
    if (silence >= silenceMs && !this.#isFinalTry) return [...expired, ...this.#brokerSilent(now)];
    if (silence < silenceMs / 2) return [...expired, ...this.#sendDue(now)];
    if (this.#connection === "open") this.#modeEvent("half silent");
    const effects = [...expired, ...this.#sendDue(now)];
    // A broker that only waits for a slow worker answers a probe at once.
    if (this.#mode === "mmi.call" && !this.#probedSince) effects.push(this.#probe());
    return effects;
  }

  #connectionEvent(event: ConnectionEvent) {
    this.#connection = CONNECTION[this.#connection][event];
  }

  #modeEvent(event: ModeEvent) {
    this.#mode = MODE[this.#mode][event];
  }

  get #mustReconnect(): boolean {
    return this.#connection === "ambiguous";
  }

  /**
   * The message may have been the outcome of a request. So it counts as a silence: the session sends
   * its requests again on a new socket, at most `tries` times. A reply to a question of the session
   * itself, a probe or mmi.cancel, changes nothing.
   */
  #undecodable(frames: Frame[], now: number): Effect[] {
    if (this.#connection === "closed") return [];
    const isProbing = this.#probesOutstanding > 0 && this.#mode !== "mmi.call";
    return isProbing || isManagementReply(frames) ? [] : this.#brokerSilent(now);
  }

  #receiveFor(id: number, request: Request, command: ClientCommand, now: number): Effect[] {
    const { name, service, body } = command;
    // 7/MDP, MDP/Client: a reply names the service of its request.
    if (!service.equals(request.callId === null ? request.service : CALL)) return [];
    if (request.callId === null) return [this.#settle(id, { reply: body })];
    return name === "PARTIAL"
      ? this.#receivePart(id, request, body)
      : this.#receiveAnswer(id, request, body, now);
  }

  /** Handles a message without an id: a plain reply, or the answer to a capability probe. */
  #receivePlain({ service, body }: ClientCommand, now: number): Effect[] {
    if (this.#probesOutstanding > 0 && service.equals(MMI_SERVICE)) {
      this.#probesOutstanding -= 1;
      return this.#receiveProbeAnswer(String(body[0]) === "200", now); // 8/MMI, mmi.service
    }
    const id = this.#plainInFlight;
    const request = id === null ? undefined : this.#requests.get(id);
    if (id === null || !request?.service.equals(service)) {
      // The reply to cancel(): 404 if the reply to the call was on its way already.
      if (!service.equals(MMI_CANCEL)) this.#countUnmatched(this.#mustReconnect);
      return [];
    }
    this.#plainInFlight = null;
    return [this.#settle(id, { reply: body }), ...this.#sendDue(now)];
  }

  #receiveProbeAnswer(knowsCalls: boolean, now: number): Effect[] {
    const isAnotherBroker = this.#mode === "mmi.call" && !knowsCalls;
    this.#modeEvent(knowsCalls ? "probe: yes" : "probe: no");
    // The other broker has understood none of the calls that were sent on this socket.
    return isAnotherBroker ? this.#reconnect(now) : this.#sendDue(now);
  }

  #receivePart(id: number, request: Request, frames: Frame[]): Effect[] {
    const body = decodeStatus(frames)?.body;
    if (!body || body.length === 0) return [];
    request.streaming = true;
    return [{ do: "part", id, body }];
  }

  /** Handles the broker's final answer to a call: a status, then a body or a sentence. */
  #receiveAnswer(id: number, request: Request, body: Frame[], now: number): Effect[] {
    const outcome = outcomeOf(body);
    if (outcome === null) {
      this.#modeEvent("call: not understood");
      request.sentAs = null;
      return this.#sendDue(now);
    }
    if (!("refused" in outcome)) return [this.#settle(id, outcome)];
    // A broker of 0.1.0 has no other status for a stream that broke off.
    if (request.streaming && outcome.refused === STATUS.quarantined)
      return [this.#settle(id, { ...outcome, refused: STATUS.brokenOff })];
    if (outcome.refused !== STATUS.shuttingDown) return [this.#settle(id, outcome)];
    this.#defer(request, outcome, now);
    return [];
  }

  /**
   * Queues a request again that a broker rejected because it shuts down. The connection stays open:
   * the broker still sends the replies to other requests, and closes the connection when it ends.
   */
  #defer(request: Request, rejection: Outcome, now: number) {
    request.sentAs = null;
    request.sendAt = now + backoffMs(request.deferrals, this.#options.random());
    request.deferrals += 1;
    request.outcomeAtDeadline = rejection;
  }

  #expire(now: number): Effect[] {
    const effects: Effect[] = [];
    for (const [id, { deadline, sentAs, outcomeAtDeadline }] of this.#requests) {
      if (deadline + (sentAs === "call" ? STATUS_GRACE_MS : 0) > now) continue;
      this.#abandon(id);
      const isUnreachable = this.#connectFailure !== null && outcomeAtDeadline === TIMED_OUT;
      effects.push(this.#settle(id, isUnreachable ? this.#noBroker : outcomeAtDeadline));
    }
    return effects;
  }

  get #noBroker(): Outcome {
    return { failed: "no broker", reason: this.#connectFailure };
  }

  /**
   * Gives the broker up after a silence of silenceMs.
   *
   * 7/MDP, Reliability / Client recovery (the Lazy Pirate): after a time-out the client closes its
   * socket, opens a new one and sends its requests again; after some tries it stops.
   */
  #brokerSilent(now: number): Effect[] {
    // In plain mode the broker has only the request in flight, so only that request counts a try.
    const onlyId = FORM[this.#mode] === "plain" ? this.#plainInFlight : null;
    this.#modeEvent("silent");
    const effects = this.#disconnect(now);
    for (const [id, request] of this.#requests) {
      if (onlyId !== null && id !== onlyId) continue;
      request.silences += 1;
      if (request.silences < this.#options.tries) continue;
      effects.push(this.#settle(id, this.#noBroker));
    }
    return this.#requests.size > 0 ? [...effects, ...this.#connect(now)] : effects;
  }

  /**
   * True if a silence must not end the current try. A plain broker that lost the request and one
   * that waits for a slow worker look the same, so the last try waits for the request's deadline.
   */
  get #isFinalTry(): boolean {
    if (FORM[this.#mode] !== "plain" || this.#connection !== "open") return false;
    const id = this.#plainInFlight;
    const request = id === null ? undefined : this.#requests.get(id);
    return !request || request.silences >= this.#options.tries - 1;
  }

  /**
   * Closes the socket and queues all outstanding requests again, since their replies are lost with
   * it. A request whose reply has begun fails: the reply to another try may differ.
   */
  #disconnect(connectAt: number): Effect[] {
    const effects: Effect[] = [{ do: "close" }];
    this.#connectionEvent("close");
    this.#failures += 1;
    this.#connectAt = connectAt;
    this.#plainInFlight = null;
    for (const [id, request] of this.#requests) {
      request.sentAs = null;
      request.sendAt = connectAt;
      if (request.streaming) effects.push(this.#settle(id, { failed: "broken off" }));
    }
    return effects;
  }

  #connect(now: number): Effect[] {
    this.#connectionEvent("connect");
    this.#probesOutstanding = 0;
    this.#abandoned.clear();
    this.#restartSilenceTimer(now);
    const probe = PROBES_FIRST[this.#mode] ? [this.#probe()] : [];
    return [{ do: "connect" }, ...probe, ...this.#sendDue(now)];
  }

  #reconnect(now: number): Effect[] {
    return [...this.#disconnect(now), ...this.#connect(now)];
  }

  #restartSilenceTimer(now: number) {
    this.#silentSince = now;
    this.#probedSince = false;
  }

  /** Returns a capability probe: does the broker have mmi.call? (8/MMI, mmi.service) */
  #probe(): Effect {
    this.#probedSince = true;
    this.#probesOutstanding += 1;
    return messageOf(MDP_0_1, MDP_0_1.delimiter, MMI_SERVICE, [CALL]);
  }

  /** Sends the queued requests that are due, except those past their deadline. */
  #sendDue(now: number): Effect[] {
    const effects: Effect[] = [];
    for (const [id, request] of this.#requests) {
      if (!this.#maySend()) break;
      if (request.sentAs !== null || request.sendAt > now || request.deadline <= now) continue;
      if (request.wasSent) this.#resent += 1;
      effects.push(this.#send(id, request, now));
    }
    return effects;
  }

  #maySend(): boolean {
    const form = FORM[this.#mode];
    // 7/MDP: a client without an envelope is synchronous, like a REQ socket.
    if (form === "plain") return this.#plainInFlight === null && !this.#mustReconnect;
    return form === "call";
  }

  #send(id: number, request: Request, now: number): Effect {
    const { service, body, callId, deadline, inParts } = request;
    request.wasSent = true;
    if (this.#connection !== "connecting") request.outcomeAtDeadline = TIMED_OUT;
    if (FORM[this.#mode] === "plain") return this.#sendPlain(id, request, now);
    request.sentAs = callId === null ? "plain" : "call";
    const envelope = [frameOf(id), EMPTY];
    if (callId === null) return messageOf(MDP_0_1, envelope, service, body);
    const ttl = Math.min(Math.max(Math.round(deadline - now), 1), TTL_MS_MAX);
    const call = encodeCall({ service, options: { ttl, id: callId }, body });
    // 18/MDP: only a client of 0.2 may receive PARTIAL.
    return messageOf(inParts ? MDP_0_2 : MDP_0_1, envelope, CALL, call);
  }

  #sendPlain(id: number, request: Request, now: number): Effect {
    request.sentAs = "plain";
    this.#plainInFlight = id;
    this.#restartSilenceTimer(now);
    return messageOf(MDP_0_1, MDP_0_1.delimiter, request.service, request.body);
  }

  #settle(id: number, outcome: Outcome): Effect {
    this.#requests.delete(id);
    return { do: "settle", id, outcome };
  }

  #countUnmatched(isLate: boolean) {
    if (isLate) this.unmatchedReplies.late += 1;
    else this.unmatchedReplies.duplicate += 1;
  }

  #abandon(id: number) {
    if (id === this.#plainInFlight) {
      this.#plainInFlight = null;
      this.#connectionEvent("abandoned");
    }
    this.#abandoned.add(id);
  }
}

/**
 * How long after a call's deadline the session waits for the broker's status, in ms. The broker
 * expires the call at the same time, but checks its deadlines at intervals.
 */
export const STATUS_GRACE_MS = 250;

const ABANDONED_MAX = 50_000;
const NEVER_CONNECTED = "no connection yet";
const TIMED_OUT: Outcome = { failed: "timed out" };

/** True for the broker's own services: 8/MMI reserves names that start with "mmi.". */
const isManagement = (service: Frame) => service.toString("latin1").startsWith("mmi.");

const MMI_SERVICE = Buffer.from("mmi.service");
const MMI_CANCEL = Buffer.from("mmi.cancel");

function messageOf(dialect: Dialect, envelope: Frame[], service: Frame, body: Frame[]): Effect {
  const command = { header: "client", name: "REQUEST", dialect, envelope, service, body } as const;
  return { do: "send", frames: encode(command) };
}
