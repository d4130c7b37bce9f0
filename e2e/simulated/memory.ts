// What a witness knows of the calls with an id: which are open, and what was said of those that
// ended, since one that is asked again is not to be run again.

import type { Limits } from "../../broker/model.ts";
import type { Frame } from "../../protocol/frame.ts";
import { type Asked, isTooLong, same, weightAtMost } from "./asked.ts";
import { Violation } from "./violation.ts";

type Ended = {
  at: number;
  told: Frame[] | null;
  cut: boolean; // That may have been too much to keep.
};

export class Memory {
  #limits: Limits;
  #latest = new Map<string, Asked>(); // By id, open or ended.
  #ended = new Map<string, Ended>(); // By id.
  #weight = 0; // More than all that was ever told can weigh, in bytes.

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get(callId: string | null): Asked | undefined {
    return callId === null ? undefined : this.#latest.get(callId);
  }

  add(asked: Asked) {
    if (asked.callId !== null) this.#latest.set(asked.callId, asked);
  }

  /** `told` is null if that is not known. */
  end({ callId, cut }: Asked, told: Frame[] | null, now: number) {
    if (callId === null) return;
    this.#ended.set(callId, { at: now, told, cut });
    this.#weight += weightAtMost(told ?? []);
  }

  /**
   * A call that had ended is taken once more. It must have been forgotten for a reason. `ending` is
   * how many calls are past their time, so that they have ended by now or are about to.
   */
  checkForgotten({ name, callId }: Asked, ending: number, now: number) {
    const ended = this.#ended.get(callId ?? "");
    const { outcomesMax, outcomesBytesMax, outcomesMs } = this.#limits;
    const size = this.#ended.size + ending;
    const weight = this.#weight + ending * weightAtMost([]);
    const fits = size <= outcomesMax && weight <= outcomesBytesMax;
    if (ended && fits && now < ended.at + outcomesMs)
      throw new Violation("S4", `${name} ended lately, and was run again`);
  }

  /** What was said of a call that ended is said again. */
  checkRepeated({ name, callId }: Asked, told: Frame[]) {
    const { told: before, cut } = this.#ended.get(callId ?? "") ?? {};
    const isSame = before ? same(before, told) : true;
    if (!isSame && !(cut && isTooLong(told)))
      throw new Violation("S2", `${name} was given another outcome when it was asked again`);
  }
}
