// The calls that have an id, so that one that is asked again is not run again: those that are open,
// and for a while, bounded in number and bytes, what became of those that ended.

import type { Frame } from "../protocol/frame.ts";
import { type Limits, type Request, weigh } from "./state.ts";

/** What the client of an ended call was told, or would have been. */
export type Ended = { service: string; body: Frame[] };

type Remembered = Ended & { until: number; weight: number };

export class Calls {
  #limits: Pick<Limits, "outcomesMax" | "outcomesBytesMax" | "outcomesMs">;
  #open = new Map<string, Request>();
  #ended = new Map<string, Remembered>(); // Oldest first.
  #weight = 0; // Of those ended, in bytes.

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  open(callId: string): Request | undefined {
    return this.#open.get(callId);
  }

  ended(callId: string): Ended | undefined {
    return this.#ended.get(callId);
  }

  begin(callId: string, request: Request) {
    this.#open.set(callId, request);
  }

  end(callId: string, { service, body }: Ended, now: number) {
    this.#open.delete(callId);
    const weight = weigh(body);
    this.#weight += weight;
    this.#ended.set(callId, { service, body, weight, until: now + this.#limits.outcomesMs });
    const { outcomesMax, outcomesBytesMax } = this.#limits;
    while (this.#ended.size > outcomesMax || this.#weight > outcomesBytesMax) this.#forgetOldest();
  }

  /** Forgets what has been remembered for long enough. */
  forget(now: number) {
    for (const { until } of this.#ended.values()) {
      if (until > now) break;
      this.#forgetOldest();
    }
  }

  #forgetOldest() {
    const [oldest] = this.#ended;
    if (!oldest) return;
    const [callId, { weight }] = oldest;
    this.#ended.delete(callId);
    this.#weight -= weight;
  }
}
