// The witness's model of the accepted requests: which are open, in which queue they stand, and
// which client waits. It also remembers the outcomes of calls that ended.

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
  /** The number of requests received, and of each outcome, as far as a witness can count them. */
  readonly totals = {
    received: 0,
    answered: 0,
    refused: 0,
    expired: 0,
    quarantined: 0,
    clientGone: 0,
  };
  #limits: Limits;
  #byAsker = new Map<string, Asked>(); // Open calls, by reply-to.
  #begun = new Set<Asked>(); // Requests whose client has received a part.
  #lines = new Map<string, ServiceLine>(); // Queues, by service.
  #taken = 0;
  // A request past its expiry ended since the last check of the broker's counts.
  #endedLate = false;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.calls = new Memory(limits);
  }

  get lines(): Iterable<ServiceLine> {
    return this.#lines.values();
  }

  /** Returns null if no worker serves the service and no request waits for it. */
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

  /** Returns whether a request past its expiry may have another state in the broker than here. */
  isUnsure(now: number): boolean {
    return this.#endedLate || [...this.open].some(({ expiry }) => expiry <= now);
  }

  /** Call when the broker's counts have been checked. */
  settle() {
    this.#endedLate = false;
  }

  /**
   * Returns the requests whose outcome must go to this reply-to: calls, and replies that have
   * begun.
   */
  owed(asker: Asker): Asked[] {
    const key = askerKey(asker);
    const call = this.#byAsker.get(key);
    const begun = [...this.#begun].filter(
      ({ asker: its, call }) => !call && its && askerKey(its) === key,
    );
    return call ? [call, ...begun] : begun;
  }

  /** Counts a request that the broker received and refused at once. */
  refuse() {
    this.totals.received += 1;
    this.totals.refused += 1;
  }

  /**
   * The broker accepted a call that had ended: allowed only if it may have forgotten the outcome.
   */
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

  /** The call was asked again: its outcome now goes to the new reply-to. */
  retry(asked: Asked, asker: Asker, wish: Wish, now: number) {
    const { asker: before, begun } = asked;
    if (before?.address !== asker.address) asked.earlier = begun ? null : before;
    this.abandon(asked);
    this.#give(asked, asker);
    asked.expiry = Math.max(asked.expiry, this.#expiry(wish, now));
  }

  /**
   * Ends or abandons the requests of a peer that is gone, except those expired by `over`. Returns
   * the calls whose outcome now goes to the client that had asked before.
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

  /** No client waits for its outcome. */
  abandon(asked: Asked) {
    if (asked.asker) this.#byAsker.delete(askerKey(asked.asker));
    asked.asker = null;
    asked.begun = false;
    this.#begun.delete(asked);
  }

  /** The client has received a part of the reply. */
  begin(asked: Asked) {
    asked.begun = true;
    this.#begun.add(asked);
  }

  /** Another worker is to process the request. */
  beginAnew(asked: Asked) {
    asked.parts = [];
    asked.cut = false;
  }

  /** `told` holds the frames that a client gets if it asks again; null if they are unknown. */
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

/** Returns the least bytes that the broker needs for this request. */
const bytesOf = ({ body, parts, asker }: Asked) =>
  sizeOf(body) + (asker && !streams(asker.dialect) ? sizeOf(parts) : 0);
