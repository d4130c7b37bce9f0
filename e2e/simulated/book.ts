// What a witness knows of the requests that a broker has taken: which are open, who waits for their
// outcome, in which line they stand, and what became of the calls that ended.

import type { Limits } from "../../broker/state.ts";
import { type Address, type Frame, sizeOf } from "../../protocol/frame.ts";
import { type Asked, type Asker, askerKey, type Ending, nameOf, type Wish } from "./asked.ts";
import { Line } from "./line.ts";
import { Memory } from "./memory.ts";
import { Violation } from "./violation.ts";

export class Book {
  readonly open = new Set<Asked>();
  readonly calls: Memory;
  #limits: Limits;
  #byAsker = new Map<string, Asked>(); // Open calls.
  #lines = new Map<string, Line>(); // By service.
  #taken = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.calls = new Memory(limits);
  }

  get lines(): Iterable<Line> {
    return this.#lines.values();
  }

  /** Null: nobody serves or wants such a service. */
  known(service: string): Line | null {
    return this.#lines.get(service) ?? null;
  }

  line(service: string): Line {
    const known = this.known(service);
    if (known) return known;
    const line = new Line(service);
    this.#lines.set(service, line);
    return line;
  }

  /** The open call whose outcome this asker waits for. */
  callOf(asker: Asker): Asked | undefined {
    return this.#byAsker.get(askerKey(asker));
  }

  /** A call is taken though it ended before: the broker may forget the outcomes of calls. */
  checkForgotten(asked: Asked, now: number) {
    const isEnding = ({ callId, expiry }: Asked) => callId !== null && expiry <= now;
    this.calls.checkForgotten(asked, [...this.open].filter(isEnding).length, now);
  }

  take(asker: Asker, wish: Wish, now: number): Asked {
    this.#taken += 1;
    const asked: Asked = {
      name: nameOf(wish.body),
      number: this.#taken,
      client: asker.address,
      asker,
      call: wish.call,
      callId: wish.callId,
      line: this.line(wish.service),
      body: wish.body,
      expiry: this.#expiry(wish, now),
      id: null,
      deliveries: 0,
      worker: null,
      alone: false,
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
    this.abandon(asked);
    asked.asker = asker;
    asked.expiry = Math.max(asked.expiry, this.#expiry(wish, now));
    this.#byAsker.set(askerKey(asker), asked);
  }

  /** A peer is gone. What is past its time by `over` was given up for that, and its asker told. */
  gone(peer: Address, over: number, now: number) {
    for (const asked of this.open) {
      if (asked.asker?.address !== peer || asked.expiry <= over) continue;
      if (asked.callId === null) this.end(asked, "client gone", null, now);
      else this.abandon(asked);
    }
  }

  /** Nobody waits for its outcome. */
  abandon(asked: Asked) {
    if (asked.asker) this.#byAsker.delete(askerKey(asked.asker));
    asked.asker = null;
  }

  /** `told` is what its asker was told, if it was. */
  end(asked: Asked, ending: Ending, told: Frame[] | null, now: number) {
    asked.ended = ending;
    this.open.delete(asked);
    asked.line.open.delete(asked);
    asked.line.leave(asked);
    if (asked.asker && asked.call) this.#byAsker.delete(askerKey(asked.asker));
    this.calls.end(asked, told, now);
    if (!asked.line.wanted) this.#lines.delete(asked.line.service);
  }

  #expiry({ ttl }: Wish, now: number): number {
    return now + (ttl ?? this.#limits.requestTtlMs);
  }

  #checkBounds(line: Line, now: number) {
    const { queueMax, queueBytesMax } = this.#limits;
    const certain = ({ expiry }: Asked) => expiry > now;
    const open = [...line.open].filter(certain).length;
    if (open > queueMax) throw new Violation("S6", `${open} requests to ${line.service} are open`);
    const bytes = [...this.open].filter(certain).reduce((sum, { body }) => sum + sizeOf(body), 0);
    if (bytes > queueBytesMax) throw new Violation("S6", `requests of ${bytes} bytes are open`);
  }
}
