// A worker's conversation with the broker, without its socket and its clock: the worker's half of
// MDP/Worker. It decides when to connect, when to beat, when a handler has had its time, and when
// the broker is gone.

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
import type { SessionEvent } from "./events.ts";

/** A request in hand. */
export type Request = {
  number: number; // Ours, of those since the program began.
  client: Frame; // What the REPLY must carry; opaque.
  body: Frame[];
  deadline: number; // When to give up on its handler.
  parts: Frame[]; // Of its reply, if the broker takes it as a whole only.
  size: number; // Of these, in bytes.
};

export type Effect =
  | { do: "connect" } // Open a new socket: a new address, so a new conversation.
  | { do: "close" } // Forget the socket and whatever it still brings.
  | { do: "send"; frames: Frame[] }
  | { do: "serve"; request: Request }
  | { do: "abort"; request: Request; reason: string } // Nobody waits for its handler any more.
  | { do: "log"; entry: SessionEvent }
  | { do: "stopped" }; // All is said; the program may end.

export type WorkerSessionOptions = {
  service: string;
  credit: number; // How many requests to take at once.
  streams: boolean; // Replies may come in parts, which takes 18/MDP.
  timeLimitMs: number; // How long a handler may take.
  messageBytesMax: number; // The largest reply that the broker takes.
  heartbeat: Heartbeat;
  random: () => number; // From 0 up to 1; spreads out reconnects.
};

export class WorkerSession {
  #options: WorkerSessionOptions;
  #connected = false;
  #reached = false; // This conversation has had a connection.
  #confirmed = false; // The broker was heard in this conversation.
  #hasBeaten = false; // We have sent HEARTBEAT in this conversation.
  #variants: ReadyVariant[]; // READY as our own broker has it, and as those may who know nothing else.
  #variant = 0; // Which way the next conversation is opened.
  #understood = false; // A broker was heard after our own way, which is the first.
  #dialect: Dialect; // Of this conversation.
  #draining = false;
  #leaveAt: number | null = null; // When to close, having said DISCONNECT.
  #stopped = false;
  #lost = 0; // Conversations that ended before we ended them.
  #failures = 0; // Conversations in a row that ended before the broker was heard.
  #reconnectAt = 0; // When to connect, while disconnected.
  #heartbeatAt = 0; // When to send the next HEARTBEAT, while connected.
  #expiry = 0; // When to consider the broker gone, while connected.
  #tickedAt: number; // When we were last awake.
  #inFlight = new MapByNumber<Request>(); // What we owe a REPLY, oldest first.
  #lastNumber = 0;

  constructor(options: WorkerSessionOptions, now: number) {
    this.#options = options;
    this.#dialect = options.streams ? MDP_0_2 : MDP_0_1;
    const own = { dialect: this.#dialect, credit: options.credit };
    this.#variants = [
      own,
      own, // Silence may have had another reason.
      { dialect: MDP_0_1, credit: null },
      { dialect: MDP_0_1_TEXT, credit: null },
    ];
    this.#tickedAt = now;
  }

  /** Registered, as far as we can know: the broker has been heard and is not silent. */
  get ready(): boolean {
    return this.#connected && this.#confirmed && !this.#draining;
  }

  /** How many conversations ended before we ended them. */
  get lost(): number {
    return this.#lost;
  }

  /** Time passed. To be called several times in each heartbeat interval. */
  tick(now: number): Effect[] {
    if (this.#stopped) return [];
    const effects: Effect[] = [];
    const asleep = now - this.#tickedAt;
    this.#tickedAt = now;
    if (this.#leaveAt !== null) return now >= this.#leaveAt ? this.#stop() : [];
    if (!this.#connected) return now >= this.#reconnectAt ? this.#connect(now) : [];
    if (asleep > this.#options.heartbeat.intervalMs) effects.push(this.#overslept(asleep, now));
    if (now >= this.#expiry) return [...effects, ...this.#silent(now)];
    const overrun = this.#overrun(now);
    const beat = this.#connected && now >= this.#heartbeatAt;
    const heartbeat = beat ? [this.#send({ name: "HEARTBEAT" }, now)] : [];
    if (beat) this.#hasBeaten = true;
    return [...effects, ...overrun, ...heartbeat];
  }

  /** There is a connection: the broker has our READY, and its silence begins to count. */
  opened(now: number) {
    this.#reached = true;
    this.#expiry = now + leaseMs(this.#options.heartbeat);
  }

  /** A message came on the current socket. */
  receive(frames: Frame[], now: number): Effect[] {
    const command = decode(frames);
    if (!this.#connected || this.#leaveAt !== null || command.header !== "worker") return [];
    if (command.name === "DISCONNECT") return this.#disconnected(now);
    const effects = this.#heard(now);
    // While draining, a request is left alone: our DISCONNECT gives it back unharmed.
    if (command.name !== "REQUEST" || this.#draining) return effects;
    const { client, body } = command;
    const deadline = now + this.#options.timeLimitMs;
    const number = ++this.#lastNumber;
    const request = { number, client, body, deadline, parts: [], size: 0 };
    this.#inFlight.add(number, request);
    return [...effects, { do: "serve", request }];
  }

  /** The connection broke. */
  gone(now: number): Effect[] {
    if (this.#leaveAt !== null) return this.#stop();
    return this.#connected ? this.#lose("the connection broke", now) : [];
  }

  /** A handler has a part of its reply, and goes on. */
  partial(request: Request, body: Frame[], now: number): Effect[] {
    if (!this.#inFlight.has(request.number)) return [];
    const { client, parts } = request;
    const size = request.size + sizeOf(body);
    const refusal = this.#refusal(client, size, parts.length + body.length);
    if (refusal) {
      this.#inFlight.delete(request.number);
      const reply = this.#send({ name: "REPLY", client, body: refusal }, now);
      return [
        { do: "abort", request, reason: String(refusal[0]) },
        reply,
        ...this.#leaveIfDone(now),
      ];
    }
    if (streams(this.#dialect)) return [this.#send({ name: "PARTIAL", client, body }, now)];
    for (const frame of body) parts.push(frame);
    request.size = size;
    return [];
  }

  /** A handler finished. If the broker has gone meanwhile, another worker has its request. */
  reply(request: Request, body: Frame[], now: number): Effect[] {
    if (!this.#inFlight.delete(request.number)) return [];
    return [this.#reply(request, body, now), ...this.#leaveIfDone(now)];
  }

  /** The program is to end: take no more, finish what is in hand, and leave. */
  drain(now: number): Effect[] {
    if (this.#draining) return [];
    this.#draining = true;
    const started = log({ event: "session.draining", inHand: this.#inFlight.size });
    return [started, ...this.#leaveIfDone(now)];
  }

  #connect(now: number): Effect[] {
    const { service, heartbeat } = this.#options;
    const { dialect, credit } = this.#variants[this.#variant] as ReadyVariant;
    this.#connected = true;
    this.#reached = false;
    this.#confirmed = false;
    this.#hasBeaten = false;
    this.#dialect = dialect;
    this.#expiry = now + leaseMs(heartbeat);
    return [
      { do: "connect" },
      this.#send({ name: "READY", service: toFrame(service), credit }, now),
      log({ event: "session.opened", dialect: dialect.name, credit }),
    ];
  }

  /** We were stopped. That silence was our own; what the broker thinks of it, it will say. */
  #overslept(ms: number, now: number): Effect {
    this.#expiry = now + leaseMs(this.#options.heartbeat);
    for (const [, request] of this.#inFlight) request.deadline += ms; // Its handler was stopped, too.
    return log({ event: "session.stalled", ms: Math.round(ms) });
  }

  /** Any command but DISCONNECT is a sign of life. */
  #heard(now: number): Effect[] {
    this.#expiry = now + leaseMs(this.#options.heartbeat);
    this.#failures = 0;
    if (this.#confirmed) return [];
    this.#confirmed = true;
    if (this.#variants[this.#variant] === this.#variants[0]) this.#understood = true;
    this.#variant = 0;
    return [log({ event: "session.confirmed" })];
  }

  #silent(now: number): Effect[] {
    this.#tryNextVariant();
    return this.#lose("the broker is silent", now);
  }

  /** One that has dropped our READY says so to the first HEARTBEAT, which it did not expect. */
  #disconnected(now: number): Effect[] {
    if (this.#hasBeaten) this.#tryNextVariant();
    return this.#lose("the broker sent DISCONNECT", now);
  }

  /** A broker that was reached and took us for nobody may not have understood our READY. */
  #tryNextVariant() {
    if (this.#reached && !this.#confirmed && !this.#understood)
      this.#variant = (this.#variant + 1) % this.#variants.length;
  }

  /** The conversation is over. What was in hand is another worker's now. */
  #lose(reason: string, now: number): Effect[] {
    const retryMs = Math.round(backoffMs(this.#failures, this.#options.random()));
    this.#failures += 1;
    this.#lost += 1;
    this.#connected = false;
    this.#reconnectAt = now + retryMs;
    const abandoned = [...this.#inFlight].map(([, request]) => request);
    this.#inFlight = new MapByNumber();
    return [
      { do: "close" },
      ...abandoned.map((request): Effect => ({ do: "abort", request, reason })),
      log({ event: "session.lost", reason, abandoned: abandoned.length, retryMs }),
      ...this.#leaveIfDone(now),
    ];
  }

  /** A handler that takes too long costs its request, not the worker. */
  #overrun(now: number): Effect[] {
    const effects: Effect[] = [];
    const { timeLimitMs: limitMs } = this.#options;
    for (const [, request] of this.#inFlight) {
      if (request.deadline > now) break; // All have the same limit, so the oldest come first.
      this.#inFlight.delete(request.number);
      const reason = `the service took longer than ${limitMs} ms`;
      effects.push({ do: "abort", request, reason }, log({ event: "request.overran", limitMs }));
      effects.push(this.#reply(request, encodeErrorReply(500, reason), now));
    }
    return [...effects, ...this.#leaveIfDone(now)];
  }

  #leaveIfDone(now: number): Effect[] {
    if (!this.#draining || this.#leaveAt !== null || this.#inFlight.size > 0) return [];
    if (!this.#connected) return this.#stop();
    // Until then the broker has heard DISCONNECT and sends nothing more.
    this.#leaveAt = now + LEAVE_MS;
    return [this.#send({ name: "DISCONNECT" }, now)];
  }

  #stop(): Effect[] {
    if (this.#stopped) return [];
    this.#stopped = true;
    return this.#connected ? [{ do: "close" }, { do: "stopped" }] : [{ do: "stopped" }];
  }

  #reply({ client, parts }: Request, last: Frame[], now: number): Effect {
    const body = decodeErrorReply(last) ? last : [...parts, ...last];
    const refusal = this.#refusal(client, sizeOf(body), body.length);
    return this.#send({ name: "REPLY", client, body: refusal ?? body }, now);
  }

  /** What goes instead of a body that the broker would not take, or null. */
  #refusal(client: Frame, size: number, frames: number): Frame[] | null {
    const bytes = client.length + size;
    const most = bodyBytesMax(this.#options.messageBytesMax);
    const no = "and the broker takes no more than";
    if (bytes > most) return encodeErrorReply(500, `the reply has ${bytes} bytes, ${no} ${most}`);
    if (frames <= BODY_FRAMES_MAX) return null;
    return encodeErrorReply(500, `the reply has ${frames} frames, ${no} ${BODY_FRAMES_MAX}`);
  }

  /** Any command that we send puts off our next HEARTBEAT. */
  #send(command: WorkerCommandToSend, now: number): Effect {
    this.#heartbeatAt = now + this.#options.heartbeat.intervalMs;
    return { do: "send", frames: encode({ header: "worker", dialect: this.#dialect, ...command }) };
  }
}

type ReadyVariant = { dialect: Dialect; credit: number | null };

type WithoutHeader<Command> = Command extends WorkerCommand
  ? Omit<Command, "header" | "dialect">
  : never;
type WorkerCommandToSend = WithoutHeader<WorkerCommand>;

const log = (entry: SessionEvent): Effect => ({ do: "log", entry });
