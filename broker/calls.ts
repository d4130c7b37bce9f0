// The calls that have an id, so that one that is asked again is not run again: those that are open,
// and for a while, bounded in number and bytes, what became of those that ended.

import { Yallist } from "yallist";
import type { Frame } from "../protocol/frame.ts";
import { type Parcel, pack } from "./parcel.ts";
import type { Request } from "./request.ts";
import { type Limits, weigh } from "./state.ts";

/** A call that is open, and then has ended. */
export type Known = {
  readonly id: string;
  readonly service: string;
  request: Request | null; // While it is open.
  outcome: Parcel | null; // What its client was told in the end, or would have been.
  weight: number; // Of the outcome, in bytes.
  until: number; // When to forget it.
};

export class Calls {
  #limits: Pick<Limits, "outcomesMax" | "outcomesBytesMax" | "outcomesMs">;
  #known = new Map<string, Known>();
  #ended = new Yallist<Known>(); // Oldest first.
  #weight = 0; // Of the outcomes, in bytes.

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get(id: string): Known | undefined {
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
