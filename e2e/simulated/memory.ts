// The oracle's memory of calls with an id: the open ones, and the outcomes of the ended ones. The
// broker must not run a call again whose outcome it still has to remember.

import type { Limits } from "../../broker/limits.ts";
import type { Frame } from "../../protocol/frame.ts";
import { isTooLong, type ModelRequest, same, weightAtMost } from "./model-request.ts";
import { Violation } from "./violation.ts";

type Ended = {
  at: number;
  told: Frame[] | null;
  cut: boolean; // The outcome may be too large to keep.
};

export class Memory {
  #limits: Limits;
  #latest = new Map<string, ModelRequest>(); // By call id, open or ended.
  #ended = new Map<string, Ended>(); // By call id.
  #weight = 0; // An upper bound of all outcomes together, in bytes.

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get(callId: string | null): ModelRequest | undefined {
    return callId === null ? undefined : this.#latest.get(callId);
  }

  add(request: ModelRequest) {
    if (request.callId !== null) this.#latest.set(request.callId, request);
  }

  /** The broker forgets an open call when it ends. */
  forget(request: ModelRequest) {
    if (this.get(request.callId) === request) this.#latest.delete(request.callId ?? "");
  }

  /** `told` is null if the frames are unknown. */
  end(request: ModelRequest, told: Frame[] | null, now: number) {
    const { callId, cut } = request;
    if (callId === null || this.get(callId) !== request) return;
    this.#ended.set(callId, { at: now, told, cut });
    this.#weight += weightAtMost(told ?? []);
  }

  /**
   * The broker accepted an ended call again: throws a Violation unless it had a reason to forget
   * it. `ending` is the number of calls past their expiry, which have ended or are about to.
   */
  checkForgotten({ name, callId }: ModelRequest, ending: number, now: number) {
    const ended = this.#ended.get(callId ?? "");
    const { outcomesMax, outcomesBytesMax, outcomesMs } = this.#limits;
    const size = this.#ended.size + ending;
    const weight = this.#weight + ending * weightAtMost([]);
    const fits = size <= outcomesMax && weight <= outcomesBytesMax;
    if (ended && fits && now < ended.at + outcomesMs)
      throw new Violation("S4", `the broker ran ${name} again although its outcome was recent`);
  }

  /** The broker repeats the outcome of an ended call: throws a Violation if the frames differ. */
  checkRepeated({ name, callId }: ModelRequest, told: Frame[]) {
    const { told: before, cut } = this.#ended.get(callId ?? "") ?? {};
    const isSame = before ? same(before, told) : true;
    if (!isSame && !(cut && isTooLong(told)))
      throw new Violation("S2", `${name} got another outcome when its client asked again`);
  }
}
