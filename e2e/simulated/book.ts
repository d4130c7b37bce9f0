// What a witness knows of the requests that a broker has taken: which are open, who waits for their
// outcome, in which line they stand, and what became of the calls that ended.

import type { Limits } from "../../broker/model.ts";
import type { Outcome } from "../../broker/vocabulary.ts";
import { streams } from "../../protocol/dialects.ts";
import { type Address, type Frame, sizeOf } from "../../protocol/frame.ts";
import {
  type Asked,
  type Asker,
  askerKey,
  nameOf,
  type Registered,
  type ServiceLine,
  type Wish,
} from "./asked.ts";
import { Line } from "./line.ts";
import { Memory } from "./memory.ts";
import { Violation } from "./violation.ts";

export class Book {
  readonly open = new Set<Asked>();
  readonly calls: Memory;
  /** How many requests were received, and what became of them, as far as can be known. */
  readonly totals = {
    received: 0,
    answered: 0,
    refused: 0,
    expired: 0,
    quarantined: 0,
    clientGone: 0,
  };
  #limits: Limits;
  #byAsker = new Map<string, Asked>(); // Open calls.
  #begun = new Set<Asked>(); // Those whose askers have been sent a part of the reply.
  #lines = new Map<string, ServiceLine>(); // By service.
  #taken = 0;
  #endedLate = false; // Something past its time ended since the broker's account was checked.

  constructor(limits: Limits) {
    this.#limits = limits;
    this.calls = new Memory(limits);
  }

  get lines(): Iterable<ServiceLine> {
    return this.#lines.values();
  }

  /** Null: nobody serves or wants such a service. */
  known(service: string): ServiceLine | null {
    return this.#lines.get(service) ?? null;
  }

  line(service: string): ServiceLine {
    const known = this.known(service);
    if (known) return known;
    const line = new Line<Asked, Registered>(service);
    this.#lines.set(service, line);
    return line;
  }

  /** Whether the broker and the witness may know different things of something past its time. */
  isUnsure(now: number): boolean {
    return this.#endedLate || [...this.open].some(({ expiry }) => expiry <= now);
  }

  /** The broker's account has been checked. */
  settle() {
    this.#endedLate = false;
  }

  /** Who must be told an outcome by this name: of a call, or of a reply that has begun. */
  owed(asker: Asker): Asked[] {
    const key = askerKey(asker);
    const call = this.#byAsker.get(key);
    const begun = [...this.#begun].filter(
      ({ asker: its, call }) => !call && its && askerKey(its) === key,
    );
    return call ? [call, ...begun] : begun;
  }

  /** A request is not even taken. */
  refuse() {
    this.totals.received += 1;
    this.totals.refused += 1;
  }

  /** A call is taken though it ended before: the broker may forget the outcomes of calls. */
  checkForgotten(asked: Asked, now: number) {
    const isEnding = ({ callId, expiry }: Asked) => callId !== null && expiry <= now;
    this.calls.checkForgotten(asked, [...this.open].filter(isEnding).length, now);
  }

  take(asker: Asker, wish: Wish, now: number): Asked {
    this.#taken += 1;
    this.totals.received += 1;
    const asked: Asked = {
      name: nameOf(wish.body),
      number: this.#taken,
      client: asker.address,
      asker,
      earlier: null,
      call: wish.call,
      callId: wish.callId,
      line: this.line(wish.service),
      body: wish.body,
      expiry: this.#expiry(wish, now),
      id: null,
      deliveries: 0,
      worker: null,
      alone: false,
      parts: [],
      begun: false,
      cut: false,
      ended: null,
      servedBefore: Number.POSITIVE_INFINITY,
    };
    this.open.add(asked);
    this.calls.add(asked);
    if (asked.call) this.#byAsker.set(askerKey(asker), asked);
    asked.line.add(asked);
    this.#checkBounds(asked.line, now);
    return asked;
  }

  /** It was asked again: from now on the outcome is for this asker. */
  retry(asked: Asked, asker: Asker, wish: Wish, now: number) {
    const { asker: before, begun } = asked;
    if (before?.address !== asker.address) asked.earlier = begun ? null : before;
    this.abandon(asked);
    this.#give(asked, asker);
    asked.expiry = Math.max(asked.expiry, this.#expiry(wish, now));
  }

  /**
   * A peer is gone. What is past its time by `over` was given up for that, and its asker told. To be
   * told of the others is who asked before: of those that are returned.
   */
  gone(peer: Address, over: number, now: number): Asked[] {
    const inherited: Asked[] = [];
    for (const asked of this.open) {
      const { asker, earlier } = asked;
      if (earlier?.address === peer) asked.earlier = null;
      if (asker?.address !== peer || asked.expiry <= over) continue;
      if (asked.callId === null) this.end(asked, "clientGone", null, now);
      else this.abandon(asked);
      if (!asked.earlier) continue;
      this.#give(asked, asked.earlier);
      asked.earlier = null;
      inherited.push(asked);
    }
    return inherited;
  }

  #give(asked: Asked, asker: Asker) {
    asked.asker = asker;
    this.#byAsker.set(askerKey(asker), asked);
  }

  /** Nobody waits for its outcome. */
  abandon(asked: Asked) {
    if (asked.asker) this.#byAsker.delete(askerKey(asked.asker));
    asked.asker = null;
    asked.begun = false;
    this.#begun.delete(asked);
  }

  /** Its asker was sent a part of the reply. */
  begin(asked: Asked) {
    asked.begun = true;
    this.#begun.add(asked);
  }

  /** Another worker is to have it. */
  beginAnew(asked: Asked) {
    asked.parts = [];
    asked.cut = false;
  }

  /** `told` is what its asker is told if it asks once more, as far as that is known. */
  end(asked: Asked, outcome: Outcome, told: Frame[] | null, now: number) {
    asked.ended = outcome;
    this.totals[outcome] += 1;
    this.#endedLate ||= asked.expiry <= now;
    this.open.delete(asked);
    this.#begun.delete(asked);
    asked.line.open.delete(asked);
    asked.line.leave(asked);
    if (asked.asker && asked.call) this.#byAsker.delete(askerKey(asked.asker));
    this.calls.end(asked, told, now);
    asked.parts = [];
    if (!asked.line.wanted) this.#lines.delete(asked.line.service);
  }

  #expiry({ ttl }: Wish, now: number): number {
    return now + (ttl ?? this.#limits.requestTtlMs);
  }

  #checkBounds(line: ServiceLine, now: number) {
    const { queueMax, queueBytesMax } = this.#limits;
    const certain = ({ expiry }: Asked) => expiry > now;
    const open = [...line.open].filter(certain).length;
    if (open > queueMax) throw new Violation("S6", `${open} requests to ${line.service} are open`);
    const bytes = [...this.open].filter(certain).reduce((sum, asked) => sum + bytesOf(asked), 0);
    if (bytes > queueBytesMax) throw new Violation("S6", `requests of ${bytes} bytes are open`);
  }
}

/** What the broker must have of it. */
const bytesOf = ({ body, parts, asker }: Asked) =>
  sizeOf(body) + (asker && !streams(asker.dialect) ? sizeOf(parts) : 0);
