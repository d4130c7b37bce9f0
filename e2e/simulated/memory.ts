// What a witness knows of the calls with an id: which are open, and what was said of those that
// ended, since one that is asked again is not to be run again.

import type { Limits } from "../../broker/state.ts";
import type { Frame } from "../../protocol/frame.ts";
import { type Asked, same } from "./asked.ts";
import { Violation } from "./violation.ts";

type Ended = { at: number; told: Frame[] | null };

export class Memory {
  #limits: Limits;
  #latest = new Map<string, Asked>(); // By id, open or ended.
  #ended = new Map<string, Ended>(); // By id.

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get(callId: string | null): Asked | undefined {
    return callId === null ? undefined : this.#latest.get(callId);
  }

  add(asked: Asked) {
    if (asked.callId !== null) this.#latest.set(asked.callId, asked);
  }

  /** `told` is null if nobody was there to be told. */
  end({ callId }: Asked, told: Frame[] | null, now: number) {
    if (callId !== null) this.#ended.set(callId, { at: now, told });
  }

  /**
   * A call that had ended is taken once more. It must have been forgotten for a reason. `ending` is
   * how many calls are past their time, so that they have ended by now or are about to.
   */
  checkForgotten({ name, callId }: Asked, ending: number, now: number) {
    const ended = this.#ended.get(callId ?? "");
    const { outcomesMax, outcomesBytesMax, outcomesMs } = this.#limits;
    const size = this.#ended.size + ending;
    const fits = size <= outcomesMax && size * OUTCOME_BYTES <= outcomesBytesMax;
    if (ended && fits && now < ended.at + outcomesMs)
      throw new Violation("S4", `${name} ended lately, and was run again`);
  }

  /** What was said of a call that ended is said again. */
  checkRepeated({ name, callId }: Asked, told: Frame[]) {
    const before = this.#ended.get(callId ?? "")?.told;
    if (before && !same(before, told))
      throw new Violation("S2", `${name} was given another outcome when it was asked again`);
  }
}

/** More than one of ours can weigh. */
const OUTCOME_BYTES = 1000;
