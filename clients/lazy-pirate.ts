// The client's half of MDP/Client, without its socket and its clock: which reply belongs to which
// request, when to stop waiting, and the Lazy Pirate's way of surviving a broker that is silent,
// which is to throw the socket away and ask again on a new one (7/MDP, Client recovery).

import { backoffMs } from "../protocol/backoff.ts";
import type { Frame } from "../protocol/frame.ts";
import { decode, encode, MDP_0_1 } from "../protocol/mdp.ts";

export type Outcome =
  | { reply: Frame[] }
  | { failed: "timed out" } // Its deadline passed.
  | { failed: "no broker" }; // The broker was silent on every try.

export type Effect =
  | { do: "connect" } // Open a new socket.
  | { do: "close" } // Forget the socket and whatever it still brings.
  | { do: "send"; frames: Frame[] }
  | { do: "settle"; id: number; outcome: Outcome };

export type LazyPirateOptions = {
  silenceMs: number; // How long a broker that owes us something may be silent.
  tries: number; // After how many silences a request has failed.
  random: () => number; // From 0 up to 1; spreads out reconnects.
};

type Request = {
  service: Frame;
  body: Frame[];
  deadline: number; // When to stop waiting.
  silences: number; // How many of the broker's it has met.
  sent: boolean; // It was sent, on this socket or an earlier one.
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

  /** How many times a request was sent again. */
  get resent(): number {
    return this.#resent;
  }

  request(service: Frame, body: Frame[], deadline: number, now: number): [number, Effect[]] {
    this.#lastId += 1;
    const id = this.#lastId;
    const request = { service, body, deadline, silences: 0, sent: false };
    if (this.#requests.size === 0) this.#owed(now);
    this.#requests.set(id, request);
    if (this.#connected) return [id, [this.#send(id, request)]];
    return [id, now >= this.#connectAt ? this.#connect(now) : []];
  }

  /** The caller no longer wants it. */
  cancel(id: number) {
    if (this.#requests.delete(id)) this.#giveUp(id);
  }

  /** A message came on the current socket. */
  receive(frames: Frame[], now: number): Effect[] {
    this.#owed(now);
    this.#failures = 0;
    const command = decode(frames);
    if (command.header !== "client") return [];
    const id = idOf(command.envelope);
    if (id === null || id === PROBE_ID) return [];
    if (this.#requests.delete(id)) {
      return [{ do: "settle", id, outcome: { reply: command.body } }];
    }
    if (this.#givenUp.has(id)) this.strays.late += 1;
    else this.strays.duplicate += 1;
    return [];
  }

  /** There is a connection: the broker has what was sent, and its silence begins to count. */
  opened(now: number) {
    this.#owed(now);
  }

  /** The connection broke. */
  gone(now: number): Effect[] {
    if (!this.#connected) return [];
    const wait = backoffMs(this.#failures, this.#options.random());
    return this.#disconnect(now + wait);
  }

  /** Time passed. To be called often while requests are outstanding. */
  tick(now: number): Effect[] {
    const effects = this.#expire(now);
    if (this.#requests.size === 0) return effects;
    if (!this.#connected)
      return now >= this.#connectAt ? [...effects, ...this.#connect(now)] : effects;
    const { silenceMs } = this.#options;
    const silence = now - this.#quietSince;
    if (silence >= silenceMs) return [...effects, ...this.#silent(now)];
    if (silence >= silenceMs / 2 && !this.#probed) effects.push(this.#probe());
    return effects;
  }

  #expire(now: number): Effect[] {
    const effects: Effect[] = [];
    for (const [id, { deadline }] of this.#requests) {
      if (deadline > now) continue;
      this.#requests.delete(id);
      this.#giveUp(id);
      effects.push({ do: "settle", id, outcome: { failed: "timed out" } });
    }
    return effects;
  }

  /** The broker owes us replies and says nothing, not even to a probe. */
  #silent(now: number): Effect[] {
    const effects = this.#disconnect(now);
    for (const [id, request] of this.#requests) {
      request.silences += 1;
      if (request.silences < this.#options.tries) continue;
      this.#requests.delete(id);
      effects.push({ do: "settle", id, outcome: { failed: "no broker" } });
    }
    if (this.#requests.size > 0) effects.push(...this.#connect(now));
    return effects;
  }

  #disconnect(connectAt: number): Effect[] {
    this.#connected = false;
    this.#failures += 1;
    this.#connectAt = connectAt;
    return [{ do: "close" }];
  }

  /** A reply to the old socket is lost with it, so whatever is outstanding is asked again. */
  #connect(now: number): Effect[] {
    this.#connected = true;
    this.#givenUp.clear();
    this.#owed(now);
    const sent = [...this.#requests].map(([id, request]) => this.#send(id, request));
    return [{ do: "connect" }, ...sent];
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

  #send(id: number, request: Request): Effect {
    if (request.sent) this.#resent += 1;
    request.sent = true;
    return this.#frames(id, request.service, request.body);
  }

  #frames(id: number, service: Frame, body: Frame[]): Effect {
    const envelope = [Buffer.alloc(ID_BYTES)];
    envelope[0]?.writeUIntBE(id, 0, ID_BYTES);
    const frames = encode({ header: "client", dialect: MDP_0_1, envelope, service, body });
    return { do: "send", frames };
  }

  #giveUp(id: number) {
    this.#givenUp.add(id);
    const [oldest] = this.#givenUp;
    if (this.#givenUp.size > GIVEN_UP_MAX && oldest) this.#givenUp.delete(oldest);
  }
}

const ID_BYTES = 6; // A request a µs for nine years.
const PROBE_ID = 0;
const GIVEN_UP_MAX = 100_000;

function idOf(envelope: Frame[]): number | null {
  const [correlation] = envelope;
  if (envelope.length !== 1 || correlation?.length !== ID_BYTES) return null;
  return correlation.readUIntBE(0, ID_BYTES);
}
