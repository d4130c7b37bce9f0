// Calls by their id, so that a retry does not run again (mmi.call). The index has all open calls
// and, within bounds of number, bytes and time, the outcomes of settled ones.

import { IntrusiveList } from "../collections/intrusive-list.ts";
import { scopedCallId } from "../protocol/call-id.ts";
import type { Frame } from "../protocol/frame.ts";
import type { Limits } from "./limits.ts";
import type { CallState, Request } from "./model.ts";
import { type PackedMessage, pack } from "./packed-message.ts";
import { weigh } from "./weights.ts";

/** A call with an id: open while it has a request, then settled with an outcome. */
export type KnownCall = {
  /** Its id in the scope of the key of its caller. */
  readonly id: string;
  /** The name of the service, one character per byte. */
  readonly service: string;
  /** Null: settled. */
  request: Request | null;
  /** The body of the REPLY that a retry gets. Null: open. */
  outcome: PackedMessage | null;
  /** The memory that the outcome takes, in bytes. */
  weight: number;
  /** When to forget the outcome, in ms. */
  forgetAt: number;
  /** Its neighbours among the settled calls. */
  before: KnownCall | null;
  after: KnownCall | null;
};

/** All calls with an id that the broker remembers. */
export class CallIndex {
  #limits: Pick<Limits, "outcomesMax" | "outcomesBytesMax" | "outcomesMs">;
  #known = new Map<string, KnownCall>();
  #settled = new IntrusiveList<KnownCall>("before", "after"); // Oldest outcome first.
  #weight = 0; // Of all outcomes, in bytes.

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The call with this scoped id; undefined if the broker does not know it, or no longer. */
  get(scopedId: string): KnownCall | undefined {
    return this.#known.get(scopedId);
  }

  /** Adds an open call, if it has an id. The id must be unknown. */
  open(request: Request, call: CallState) {
    const id = scopedIdOf(call);
    if (id === null) return;
    const service = request.service.name;
    const settled = { outcome: null, weight: 0, forgetAt: 0, before: null, after: null };
    this.#known.set(id, { id, service, request, ...settled });
  }

  /** Remembers the outcome of an open call, and forgets the oldest outcomes past the bounds. */
  settle(state: CallState, body: Frame[], now: number) {
    const id = scopedIdOf(state);
    const call = id === null ? undefined : this.#known.get(id);
    if (!call) return;
    call.request = null;
    call.outcome = pack([], body);
    call.weight = weigh(body);
    call.forgetAt = now + this.#limits.outcomesMs;
    this.#settled.push(call);
    this.#weight += call.weight;
    const { outcomesMax, outcomesBytesMax } = this.#limits;
    while (this.#settled.length > outcomesMax || this.#weight > outcomesBytesMax)
      this.#forgetOldest();
  }

  /** Forgets an open call, so that a later retry begins it again. */
  forgetOpen(call: CallState) {
    const id = scopedIdOf(call);
    if (id !== null) this.#known.delete(id);
  }

  /** Forgets the outcomes that are older than `outcomesMs`. */
  forget(now: number) {
    while ((this.#settled.first?.forgetAt ?? Infinity) <= now) this.#forgetOldest();
  }

  #forgetOldest() {
    const oldest = this.#settled.first;
    if (!oldest) return;
    this.#settled.remove(oldest);
    this.#known.delete(oldest.id);
    this.#weight -= oldest.weight;
  }
}

const scopedIdOf = ({ id, extras }: CallState) =>
  id === null ? null : scopedCallId(extras?.by ?? null, id);
