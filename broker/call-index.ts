// The calls that have an id, so that one that is asked again is not run again: those that are open,
// and for a while, bounded in number and bytes, what became of those that ended.

import { Yallist } from "yallist";
import type { Frame } from "../protocol/frame.ts";
import type { Request } from "./model.ts";
import { type Limits, weigh } from "./model.ts";
import { type PackedMessage, pack } from "./packed-message.ts";

/** A call that is open, and then has ended. */
export type KnownCall = {
  readonly id: string;
  readonly service: string;
  request: Request | null; // While it is open.
  outcome: PackedMessage | null; // What its client was told in the end, or would have been.
  weight: number; // Of the outcome, in bytes.
  until: number; // When to forget it.
};

export class CallIndex {
  #limits: Pick<Limits, "outcomesMax" | "outcomesBytesMax" | "outcomesMs">;
  #known = new Map<string, KnownCall>();
  #ended = new Yallist<KnownCall>(); // Oldest first.
  #weight = 0; // Of the outcomes, in bytes.

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get(id: string): KnownCall | undefined {
    return this.#known.get(id);
  }

  begin(id: string, request: Request) {
    const service = request.service.name;
    this.#known.set(id, { id, service, request, outcome: null, weight: 0, until: 0 });
  }

  end(id: string, told: Frame[], now: number) {
    const call = this.#known.get(id);
    if (!call) return;
    call.request = null;
    call.outcome = pack([], told);
    call.weight = weigh(told);
    call.until = now + this.#limits.outcomesMs;
    this.#ended.push(call);
    this.#weight += call.weight;
    const { outcomesMax, outcomesBytesMax } = this.#limits;
    while (this.#ended.length > outcomesMax || this.#weight > outcomesBytesMax)
      this.#forgetOldest();
  }

  /** Forgets what has been remembered for long enough. */
  forget(now: number) {
    while ((this.#ended.head?.value.until ?? Infinity) <= now) this.#forgetOldest();
  }

  #forgetOldest() {
    const oldest = this.#ended.shift();
    if (!oldest) return;
    this.#known.delete(oldest.id);
    this.#weight -= oldest.weight;
  }
}
