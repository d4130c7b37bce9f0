// The client's half of MDP/Client, without its socket and its clock: which reply belongs to which
// request, when to stop waiting, and the Lazy Pirate's way of surviving a broker that is silent,
// which is to throw the socket away and ask again on a new one (7/MDP, Client recovery).
//
// A request goes as a call (protocol/call.ts), so that the broker says what becomes of it. A broker
// that does not know calls is asked plainly, as 7/MDP has it.

import { backoffMs } from "../protocol/backoff.ts";
import { CALL, decodeStatus, encodeCall, STATUS, TTL_MS_MAX } from "../protocol/call.ts";
import { decodeFailure } from "../protocol/failure.ts";
import type { Frame } from "../protocol/frame.ts";
import { decode, encode, MDP_0_1 } from "../protocol/mdp.ts";

export type Outcome =
  | { reply: Frame[] } // The service's, which may be its error.
  | { refused: number; sentence: string } // A status of the broker's, and what it says.
  | { failed: "timed out" } // Its deadline passed without a word.
  | { failed: "no broker" }; // The broker was silent on every try.

export type Effect =
  | { do: "connect" } // Open a new socket.
  | { do: "close" } // Forget the socket and whatever it still brings.
  | { do: "send"; frames: Frame[] }
  | { do: "settle"; id: number; outcome: Outcome };

export type LazyPirateOptions = {
  silenceMs: number; // How long a broker that owes us something may be silent.
  tries: number; // After how many silences a request has failed.
  random: () => number; // From 0 up to 1; spreads out reconnects and askings.
  newId: () => string; // Names a call, so that nobody can guess its name.
};

type Request = {
  service: Frame;
  body: Frame[];
  callId: string | null; // The same at every asking; null: not for a worker, so never a call.
  deadline: number; // When the caller has no more use for a reply.
  silences: number; // How many of the broker's it has met.
  sent: boolean; // It was sent, on this socket or an earlier one.
  asked: "as a call" | "plainly" | null; // How, on this socket; null: it is to be asked.
  askAt: number; // When to, while it is to be asked.
  postponed: number; // How often that was put off.
  unanswered: Outcome; // What becomes of it if there is no other word in time.
};

/** Replies that nobody waited for. */
export type Strays = {
  duplicate: number; // To a request that had its reply.
  late: number; // To a request that was given up.
};

export class LazyPirate {
  readonly strays: Strays = { duplicate: 0, late: 0 };
  #options: LazyPirateOptions;
  #requests = new Map<number, Request>(); // Those without an outcome, by id.
  #lastId = 0;
  #givenUp = new Set<number>(); // On this socket, so that their replies are not called duplicates.
  #connected = false;
  #reached = false; // This socket has had a connection, so what is sent arrives.
  #knowsCalls = true; // The broker on this socket, until it says otherwise.
  #failures = 0; // Connections in a row on which the broker was not heard.
  #connectAt = 0; // When to connect, while disconnected.
  #quietSince = 0; // When the broker was last heard, or began to owe us something.
  #probed = false; // It was asked for a sign of life since then.
  #resent = 0;

  constructor(options: LazyPirateOptions) {
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

  /** `callId` is what the caller names the call, if anything. */
  request(
    service: Frame,
    body: Frame[],
    deadline: number,
    now: number,
    callId?: string,
  ): [number, Effect[]] {
    this.#lastId += 1;
    const id = this.#lastId;
    const request: Request = {
      service,
      body,
      callId: isManagement(service) ? null : (callId ?? this.#options.newId()),
      deadline,
      silences: 0,
      sent: false,
      asked: null,
      askAt: now,
      postponed: 0,
      unanswered: TIMED_OUT,
    };
    if (this.#requests.size === 0) this.#owed(now);
    this.#requests.set(id, request);
    if (this.#connected) return [id, [this.#ask(id, request, now)]];
    return [id, now >= this.#connectAt ? this.#connect(now) : []];
  }

  /** The caller no longer wants it. */
  cancel(id: number) {
    if (this.#requests.delete(id)) this.#giveUp(id);
  }

  /** A message came on the current socket. */
  receive(frames: Frame[], now: number): Effect[] {
    this.#owed(now);
    this.#reached = true;
    this.#failures = 0;
    const command = decode(frames);
    if (command.header !== "client") return [];
    const id = idOf(command.envelope);
    if (id === null || id === PROBE_ID) return [];
    const request = this.#requests.get(id);
    if (!request) {
      this.#stray(id);
      return [];
    }
    if (request.callId === null || !command.service.equals(CALL))
      return [this.#settle(id, { reply: command.body })];
    return this.#answer(id, request, command.body, now);
  }

  /** There is a connection: the broker has what was sent, and its silence begins to count. */
  opened(now: number) {
    this.#owed(now);
    this.#reached = true;
    for (const request of this.#requests.values()) {
      if (request.asked !== null) request.unanswered = TIMED_OUT;
    }
  }

  /** The connection broke. */
  gone(now: number): Effect[] {
    if (!this.#connected) return [];
    const wait = backoffMs(this.#failures, this.#options.random());
    return this.#disconnect(now + wait);
  }

  /** Time passed. To be called often while requests are outstanding. */
  tick(now: number): Effect[] {
    const expired = this.#expire(now);
    if (this.#requests.size === 0) return expired;
    if (!this.#connected)
      return now >= this.#connectAt ? [...expired, ...this.#connect(now)] : expired;
    const { silenceMs } = this.#options;
    const silence = now - this.#quietSince;
    if (silence >= silenceMs) return [...expired, ...this.#silent(now)];
    const effects = [...expired, ...this.#askDue(now)];
    if (silence >= silenceMs / 2 && !this.#probed) effects.push(this.#probe());
    return effects;
  }

  /** The broker's word on a call. */
  #answer(id: number, request: Request, body: Frame[], now: number): Effect[] {
    const outcome = outcomeOf(body);
    if (outcome === null) {
      this.#knowsCalls = false;
      // Once, however often the broker says that it does not know calls.
      return request.asked === "as a call" ? [this.#ask(id, request, now)] : [];
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

  /** The broker owes us replies and says nothing, not even to a probe. */
  #silent(now: number): Effect[] {
    const effects = this.#disconnect(now);
    for (const [id, request] of this.#requests) {
      request.silences += 1;
      if (request.silences < this.#options.tries) continue;
      effects.push(this.#settle(id, { failed: "no broker" }));
    }
    return this.#requests.size > 0 ? [...effects, ...this.#connect(now)] : effects;
  }

  /** A reply to the old socket is lost with it, so whatever is outstanding is to be asked again. */
  #disconnect(connectAt: number): Effect[] {
    this.#connected = false;
    this.#failures += 1;
    this.#connectAt = connectAt;
    for (const request of this.#requests.values()) {
      request.asked = null;
      request.askAt = connectAt;
    }
    return [{ do: "close" }];
  }

  #connect(now: number): Effect[] {
    this.#connected = true;
    this.#reached = false;
    this.#knowsCalls = true;
    this.#givenUp.clear();
    this.#owed(now);
    return [{ do: "connect" }, ...this.#askDue(now)];
  }

  #owed(now: number) {
    this.#quietSince = now;
    this.#probed = false;
  }

  /** A broker that is only waiting for a slow worker answers this at once (8/MMI). */
  #probe(): Effect {
    this.#probed = true;
    const [service, body] = [Buffer.from("mmi.service"), [Buffer.from("mmi.service")]];
    return this.#frames(PROBE_ID, service, body);
  }

  /** What is to be asked by now, unless its caller has no more use for a reply. */
  #askDue(now: number): Effect[] {
    const effects: Effect[] = [];
    for (const [id, request] of this.#requests) {
      if (request.asked !== null || request.askAt > now || request.deadline <= now) continue;
      if (request.sent) this.#resent += 1;
      effects.push(this.#ask(id, request, now));
    }
    return effects;
  }

  #ask(id: number, request: Request, now: number): Effect {
    const { service, body, callId, deadline } = request;
    request.sent = true;
    if (this.#reached) request.unanswered = TIMED_OUT;
    request.asked = this.#knowsCalls && callId !== null ? "as a call" : "plainly";
    if (callId === null || !this.#knowsCalls) return this.#frames(id, service, body);
    const ttl = Math.min(Math.max(Math.round(deadline - now), 1), TTL_MS_MAX);
    return this.#frames(id, CALL, encodeCall({ service, options: { ttl, id: callId }, body }));
  }

  #frames(id: number, service: Frame, body: Frame[]): Effect {
    const envelope = [Buffer.alloc(ID_BYTES)];
    envelope[0]?.writeUIntBE(id, 0, ID_BYTES);
    const frames = encode({ header: "client", dialect: MDP_0_1, envelope, service, body });
    return { do: "send", frames };
  }

  #settle(id: number, outcome: Outcome): Effect {
    this.#requests.delete(id);
    return { do: "settle", id, outcome };
  }

  #stray(id: number) {
    if (this.#givenUp.has(id)) this.strays.late += 1;
    else this.strays.duplicate += 1;
  }

  #giveUp(id: number) {
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
const PROBE_ID = 0;
const GIVEN_UP_MAX = 100_000;
const SENTENCE_BYTES_MAX = 1000;
const TIMED_OUT: Outcome = { failed: "timed out" };

/** What the broker itself provides (8/MMI). */
const isManagement = (service: Frame) => service.toString("latin1").startsWith("mmi.");

function idOf(envelope: Frame[]): number | null {
  const [correlation] = envelope;
  if (envelope.length !== 1 || correlation?.length !== ID_BYTES) return null;
  return correlation.readUIntBE(0, ID_BYTES);
}

/**
 * What the answer to a call means. Null: it comes from a broker that does not know calls, which is
 * a lone 501 (8/MMI), or whatever else is no status with something after it.
 */
function outcomeOf(answer: Frame[]): Outcome | null {
  const decoded = decodeStatus(answer);
  const first = decoded?.body[0];
  if (!decoded || !first) return null;
  const { status, body } = decoded;
  if (status === STATUS.ok || decodeFailure(body)) return { reply: body };
  return { refused: status, sentence: first.subarray(0, SENTENCE_BYTES_MAX).toString() };
}
