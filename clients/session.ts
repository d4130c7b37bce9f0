// The client's half of MDP/Client, without its socket and its clock: which reply belongs to which
// request, when to stop waiting, and the Lazy Pirate's way of surviving a broker that is silent,
// which is to throw the socket away and ask again on a new one (7/MDP, Client recovery).
//
// A request goes as a call (protocol/call.ts), so that the broker says what becomes of it, and with
// its id in the envelope, so that many may be outstanding. Some brokers know neither, and some end
// when they see an envelope. So the first thing that is asked on a socket, as 7/MDP has it, is
// whether calls are known. Where they are not, requests go plainly and one after the other.

import { MapByNumber } from "../collections/map-by-number.ts";
import { backoffMs } from "../protocol/backoff.ts";
import { CALL, decodeStatus, encodeCall, STATUS, TTL_MS_MAX } from "../protocol/call.ts";
import { type Dialect, MDP_0_1, MDP_0_2 } from "../protocol/dialects.ts";
import { decodeErrorReply } from "../protocol/error-reply.ts";
import { EMPTY, type Frame } from "../protocol/frame.ts";
import { type ClientCommand, decode, encode } from "../protocol/mdp.ts";

export type Outcome =
  | { reply: Frame[] } // The service's, which may be its error.
  | { refused: number; sentence: string } // A status of the broker's, and what it says.
  | { failed: "timed out" } // Its deadline passed without a word.
  | { failed: "broken off" } // The connection was lost after a part of the reply had come.
  | { failed: "no broker" }; // The broker was silent on every try.

export type Effect =
  | { do: "connect" } // Open a new socket.
  | { do: "close" } // Forget the socket and whatever it still brings.
  | { do: "send"; frames: Frame[] }
  | { do: "part"; id: number; body: Frame[] } // Of the reply; more follows.
  | { do: "settle"; id: number; outcome: Outcome };

export type ClientSessionOptions = {
  silenceMs: number; // How long a broker that owes us something may be silent.
  tries: number; // After how many silences a request has failed.
  random: () => number; // From 0 up to 1; spreads out reconnects and askings.
  newId: () => string; // Names a call, so that nobody can guess its name.
};

export type RequestOptions = {
  callId?: string | undefined; // What the caller names the call, if anything.
  inParts?: boolean; // The caller takes a reply in parts.
};

type Request = {
  service: Frame;
  body: Frame[];
  callId: string | null; // The same at every asking; null: not for a worker, so never a call.
  inParts: boolean; // Its reply may come in parts.
  begun: boolean; // A part has come.
  deadline: number; // When the caller has no more use for a reply.
  silences: number; // How many of the broker's it has met.
  sent: boolean; // It was sent, on this socket or an earlier one.
  asked: "as a call" | "plainly" | null; // How, on this socket; null: it is to be asked.
  askAt: number; // When to, while it is to be asked.
  postponed: number; // How often that was put off.
  unanswered: Outcome; // What becomes of it if there is no other word in time.
};

/** How this broker is to be asked, as far as it is known. */
type Manner = "unknown" | "as calls" | "plainly";

/** Replies that nobody waited for. */
export type UnmatchedReplies = {
  duplicate: number; // To a request that had its reply.
  late: number; // To a request that was given up.
};

export class ClientSession {
  readonly unmatchedReplies: UnmatchedReplies = { duplicate: 0, late: 0 };
  #options: ClientSessionOptions;
  #requests = new MapByNumber<Request>(); // Those without an outcome, by id.
  #lastId = 0;
  #givenUp = new Set<number>(); // On this socket, so that their replies are not called duplicates.
  #connected = false;
  #reached = false; // This socket has had a connection, so what is sent arrives.
  #manner: Manner = "unknown";
  #guessed = false; // That it is to be asked plainly: it has not said so.
  #knewCalls = false; // A broker that did was here. One that is silent is no other, but slow.
  #questions = 0; // How many of ours, whether calls are known, have no answer on this socket.
  #inHand: number | null = null; // The request that was asked plainly.
  #spoilt = false; // On this socket a late reply might be taken for the next request's.
  #failures = 0; // Connections in a row on which the broker was not heard.
  #connectAt = 0; // When to connect, while disconnected.
  #quietSince = 0; // When the broker was last heard, or began to owe us something.
  #probed = false; // It was asked for a sign of life since then.
  #resent = 0;

  constructor(options: ClientSessionOptions) {
    this.#options = options;
  }

  /** How many requests have no outcome yet. */
  get outstanding(): number {
    return this.#requests.size;
  }

  /** How many times a request was sent again: after silence, or to a broker that shuts down. */
  get resent(): number {
    return this.#resent;
  }

  request(
    service: Frame,
    body: Frame[],
    deadline: number,
    now: number,
    { callId, inParts = false }: RequestOptions = {},
  ): [number, Effect[]] {
    this.#lastId += 1;
    const id = this.#lastId;
    const request: Request = {
      service,
      body,
      callId: isManagement(service) ? null : (callId ?? this.#options.newId()),
      inParts,
      begun: false,
      deadline,
      silences: 0,
      sent: false,
      asked: null,
      askAt: now,
      postponed: 0,
      unanswered: TIMED_OUT,
    };
    if (this.#requests.size === 0) this.#owed(now);
    this.#requests.add(id, request);
    if (!this.#connected) return [id, now >= this.#connectAt ? this.#connect(now) : []];
    if (this.#spoilt) return [id, this.#renew(now)];
    return [id, this.#mayAsk() ? [this.#ask(id, request, now)] : []];
  }

  /** The caller no longer wants it. */
  cancel(id: number) {
    if (this.#requests.delete(id)) this.#giveUp(id);
  }

  /** A message came on the current socket. */
  receive(frames: Frame[], now: number): Effect[] {
    this.#reached = true;
    this.#failures = 0;
    if (this.#manner !== "plainly") this.#owed(now);
    const command = decode(frames);
    if (command.header !== "client") return [];
    const id = idOf(command);
    if (id === null) return isPlain(command) ? this.#receivePlainly(command, now) : [];
    const request = this.#requests.get(id);
    if (request) return this.#receiveFor(id, request, command, now);
    if (command.name !== "PARTIAL") this.#stray(id);
    return [];
  }

  /** There is a connection: the broker has what was sent, and its silence begins to count. */
  opened(now: number) {
    this.#owed(now);
    this.#reached = true;
    for (const [, request] of this.#requests) {
      if (request.asked !== null) request.unanswered = TIMED_OUT;
    }
  }

  /** The connection broke. */
  gone(now: number): Effect[] {
    if (!this.#connected) return [];
    this.#manner = "unknown";
    const wait = backoffMs(this.#failures, this.#options.random());
    return this.#disconnect(now + wait);
  }

  /** Time passed. To be called often while requests are outstanding. */
  tick(now: number): Effect[] {
    const expired = this.#expire(now);
    if (this.#requests.size === 0) return expired;
    if (!this.#connected)
      return now >= this.#connectAt ? [...expired, ...this.#connect(now)] : expired;
    if (this.#spoilt) return [...expired, ...this.#renew(now)];
    const { silenceMs } = this.#options;
    const silence = now - this.#quietSince;
    if (silence >= silenceMs && !this.#patient) return [...expired, ...this.#silent(now)];
    if (silence < silenceMs / 2) return [...expired, ...this.#askDue(now)];
    if (this.#manner === "unknown" && this.#reached && !this.#knewCalls) this.#guessPlainly();
    const effects = [...expired, ...this.#askDue(now)];
    if (this.#manner === "as calls" && !this.#probed) effects.push(this.#probe());
    return effects;
  }

  #receiveFor(id: number, request: Request, command: ClientCommand, now: number): Effect[] {
    const { name, service, body } = command;
    if (!service.equals(request.callId === null ? request.service : CALL)) return [];
    if (request.callId === null) return [this.#settle(id, { reply: body })];
    return name === "PARTIAL"
      ? this.#part(id, request, body)
      : this.#answer(id, request, body, now);
  }

  /** From a broker that is asked plainly, or the answer to our question. */
  #receivePlainly({ service, body }: ClientCommand, now: number): Effect[] {
    if (this.#questions > 0 && service.equals(MMI_SERVICE)) {
      this.#questions -= 1;
      return this.#learn(String(body[0]) === "200", now);
    }
    const id = this.#inHand;
    const request = id === null ? undefined : this.#requests.get(id);
    if (id === null || !request?.service.equals(service)) {
      if (this.#spoilt) this.unmatchedReplies.late += 1;
      else this.unmatchedReplies.duplicate += 1;
      return [];
    }
    this.#inHand = null;
    return [this.#settle(id, { reply: body }), ...this.#askDue(now)];
  }

  #guessPlainly() {
    this.#manner = "plainly";
    this.#guessed = true;
  }

  #learn(knowsCalls: boolean, now: number): Effect[] {
    const before = this.#manner;
    this.#manner = knowsCalls ? "as calls" : "plainly";
    this.#guessed = false;
    this.#knewCalls = knowsCalls;
    if (before !== "as calls" || knowsCalls) return this.#askDue(now);
    return this.#renew(now); // It is another broker, which has understood nothing.
  }

  #part(id: number, request: Request, frames: Frame[]): Effect[] {
    const body = decodeStatus(frames)?.body;
    if (!body || body.length === 0) return [];
    request.begun = true;
    return [{ do: "part", id, body }];
  }

  /** The broker's word on a call. */
  #answer(id: number, request: Request, body: Frame[], now: number): Effect[] {
    const outcome = outcomeOf(body);
    if (outcome === null) {
      this.#manner = "plainly";
      this.#knewCalls = false;
      request.asked = null;
      return this.#askDue(now);
    }
    if (!("refused" in outcome) || outcome.refused !== STATUS.shuttingDown)
      return [this.#settle(id, outcome)];
    this.#postpone(request, outcome, now);
    return [];
  }

  /**
   * The broker is shutting down and has not taken it. The connection stays, since others may still
   * get their replies through it, and breaks by itself when the broker ends.
   */
  #postpone(request: Request, refusal: Outcome, now: number) {
    request.asked = null;
    request.askAt = now + backoffMs(request.postponed, this.#options.random());
    request.postponed += 1;
    request.unanswered = refusal;
  }

  #expire(now: number): Effect[] {
    const effects: Effect[] = [];
    for (const [id, { deadline, asked, unanswered }] of this.#requests) {
      if (deadline + (asked === "as a call" ? WORD_MS : 0) > now) continue;
      this.#giveUp(id);
      effects.push(this.#settle(id, unanswered));
    }
    return effects;
  }

  /**
   * The broker owes us replies and says nothing, not even to a probe. Or it has lost our request: one
   * that is asked plainly cannot tell, so the last try is left to wait for its deadline.
   */
  #silent(now: number): Effect[] {
    const only = this.#manner === "plainly" ? this.#inHand : null;
    if (this.#manner !== "plainly") this.#manner = "unknown";
    const effects = this.#disconnect(now);
    for (const [id, request] of this.#requests) {
      if (only !== null && id !== only) continue; // It was not asked.
      request.silences += 1;
      if (request.silences < this.#options.tries) continue;
      effects.push(this.#settle(id, { failed: "no broker" }));
    }
    return this.#requests.size > 0 ? [...effects, ...this.#connect(now)] : effects;
  }

  get #patient(): boolean {
    if (this.#manner !== "plainly" || !this.#reached) return false;
    const request = this.#inHand === null ? undefined : this.#requests.get(this.#inHand);
    return !request || request.silences >= this.#options.tries - 1;
  }

  /**
   * A reply to the old socket is lost with it, so whatever is outstanding is to be asked again,
   * unless a part of its reply has come: the next one may be another.
   */
  #disconnect(connectAt: number): Effect[] {
    const effects: Effect[] = [{ do: "close" }];
    this.#connected = false;
    this.#failures += 1;
    this.#connectAt = connectAt;
    this.#inHand = null;
    for (const [id, request] of this.#requests) {
      request.asked = null;
      request.askAt = connectAt;
      if (request.begun) effects.push(this.#settle(id, { failed: "broken off" }));
    }
    return effects;
  }

  #connect(now: number): Effect[] {
    this.#connected = true;
    this.#reached = false;
    this.#spoilt = false;
    this.#questions = 0;
    this.#givenUp.clear();
    this.#owed(now);
    const isSure = this.#manner !== "unknown" && !this.#guessed;
    const question = isSure ? [] : [this.#probe()];
    return [{ do: "connect" }, ...question, ...this.#askDue(now)];
  }

  #renew(now: number): Effect[] {
    return [...this.#disconnect(now), ...this.#connect(now)];
  }

  #owed(now: number) {
    this.#quietSince = now;
    this.#probed = false;
  }

  /**
   * Whether calls are known (8/MMI). A broker that is only waiting for a slow worker answers at once.
   */
  #probe(): Effect {
    this.#probed = true;
    this.#questions += 1;
    return send(MDP_0_1, MDP_0_1.delimiter, MMI_SERVICE, [CALL]);
  }

  /** What is to be asked by now, unless its caller has no more use for a reply. */
  #askDue(now: number): Effect[] {
    const effects: Effect[] = [];
    for (const [id, request] of this.#requests) {
      if (!this.#mayAsk()) break;
      if (request.asked !== null || request.askAt > now || request.deadline <= now) continue;
      if (request.sent) this.#resent += 1;
      effects.push(this.#ask(id, request, now));
    }
    return effects;
  }

  #mayAsk(): boolean {
    if (this.#manner === "plainly") return this.#inHand === null && !this.#spoilt;
    return this.#manner === "as calls";
  }

  #ask(id: number, request: Request, now: number): Effect {
    const { service, body, callId, deadline, inParts } = request;
    request.sent = true;
    if (this.#reached) request.unanswered = TIMED_OUT;
    if (this.#manner === "plainly") return this.#askPlainly(id, request, now);
    request.asked = callId === null ? "plainly" : "as a call";
    const envelope = [frameOf(id), EMPTY];
    if (callId === null) return send(MDP_0_1, envelope, service, body);
    const ttl = Math.min(Math.max(Math.round(deadline - now), 1), TTL_MS_MAX);
    const call = encodeCall({ service, options: { ttl, id: callId }, body });
    return send(inParts ? MDP_0_2 : MDP_0_1, envelope, CALL, call);
  }

  #askPlainly(id: number, request: Request, now: number): Effect {
    request.asked = "plainly";
    this.#inHand = id;
    this.#owed(now);
    return send(MDP_0_1, MDP_0_1.delimiter, request.service, request.body);
  }

  #settle(id: number, outcome: Outcome): Effect {
    this.#requests.delete(id);
    return { do: "settle", id, outcome };
  }

  #stray(id: number) {
    if (this.#givenUp.has(id)) this.unmatchedReplies.late += 1;
    else this.unmatchedReplies.duplicate += 1;
  }

  #giveUp(id: number) {
    if (id === this.#inHand) {
      this.#inHand = null;
      this.#spoilt = true;
    }
    this.#givenUp.add(id);
    const [oldest] = this.#givenUp;
    if (this.#givenUp.size > GIVEN_UP_MAX && oldest) this.#givenUp.delete(oldest);
  }
}

/**
 * How long after its deadline the broker's word on a call is waited for, in ms. The broker looks at
 * its clock now and then only, and its word has a way to go.
 */
export const WORD_MS = 250;

const ID_BYTES = 6; // A request a µs for nine years.
const GIVEN_UP_MAX = 100_000;
const SENTENCE_BYTES_MAX = 1000;
const TIMED_OUT: Outcome = { failed: "timed out" };

/** What the broker itself provides (8/MMI). */
const isManagement = (service: Frame) => service.toString("latin1").startsWith("mmi.");

const MMI_SERVICE = Buffer.from("mmi.service");

function send(dialect: Dialect, envelope: Frame[], service: Frame, body: Frame[]): Effect {
  const command = { header: "client", name: "REQUEST", dialect, envelope, service, body } as const;
  return { do: "send", frames: encode(command) };
}

function frameOf(id: number): Frame {
  const frame = Buffer.alloc(ID_BYTES);
  frame.writeUIntBE(id, 0, ID_BYTES);
  return frame;
}

function idOf({ envelope }: ClientCommand): number | null {
  const [correlation, delimiter] = envelope;
  if (envelope.length !== 2 || correlation?.length !== ID_BYTES) return null;
  return delimiter?.length === 0 ? correlation.readUIntBE(0, ID_BYTES) : null;
}

const isPlain = ({ envelope }: ClientCommand) => envelope.length === 1;

/**
 * What the answer to a call means. Null: it comes from a broker that does not know calls, which is
 * a lone 501 (8/MMI), or whatever else is no status with something after it.
 */
function outcomeOf(answer: Frame[]): Outcome | null {
  const decoded = decodeStatus(answer);
  const first = decoded?.body[0];
  if (!decoded || !first) return null;
  const { status, body } = decoded;
  if (status === STATUS.ok || decodeErrorReply(body)) return { reply: body };
  return { refused: status, sentence: first.subarray(0, SENTENCE_BYTES_MAX).toString() };
}
