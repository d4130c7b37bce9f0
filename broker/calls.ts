// The calls that have an id, so that one that is asked again is not run again: those that are open,
// and for a while, bounded in number and bytes, what became of those that ended.

import { Yallist } from "yallist";
import type { Frame } from "../protocol/frame.ts";
import { type Parcel, pack } from "./parcel.ts";
import type { Request } from "./request.ts";
import { type Limits, type Service, weigh } from "./state.ts";

/** What the client of an ended call was told, or would have been. */
export type Ended = { service: string; outcome: Parcel };

type Remembered = Ended & { callId: string; until: number; weight: number };

export class Calls {
  #limits: Pick<Limits, "outcomesMax" | "outcomesBytesMax" | "outcomesMs">;
  #open = new Map<string, Request>();
  #ended = new Map<string, Remembered>();
  #byAge = new Yallist<Remembered>(); // Oldest first.
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

  end(callId: string, service: Service, told: Frame[], now: number) {
    this.#open.delete(callId);
    const until = now + this.#limits.outcomesMs;
    const ended = {
      callId,
      service: service.name,
      outcome: pack([], told),
      until,
      weight: weigh(told),
    };
    this.#ended.set(callId, ended);
    this.#byAge.push(ended);
    this.#weight += ended.weight;
    const { outcomesMax, outcomesBytesMax } = this.#limits;
    while (this.#ended.size > outcomesMax || this.#weight > outcomesBytesMax) this.#forgetOldest();
  }

  /** Forgets what has been remembered for long enough. */
  forget(now: number) {
    while ((this.#byAge.head?.value.until ?? Infinity) <= now) this.#forgetOldest();
  }

  #forgetOldest() {
    const oldest = this.#byAge.shift();
    if (!oldest) return;
    this.#ended.delete(oldest.callId);
    this.#weight -= oldest.weight;
  }
}
