// What the broker has to say, collected until the input that led to it is dealt with.

import type { Address, Frame } from "../protocol/frame.ts";
import { EventCounter } from "./event-counter.ts";
import type { BrokerEvent } from "./events.ts";

export type Effect =
  | { do: "send"; to: Address; frames: Frame[] }
  | { do: "log"; entry: BrokerEvent }
  | { do: "stopped" }; // All is said; the program may end.

export class Effects {
  readonly counter = new EventCounter(); // To be logged at the next tick.
  #effects: Effect[] = [];

  send(to: Address, frames: Frame[]) {
    this.#effects.push({ do: "send", to, frames });
  }

  log(entry: BrokerEvent) {
    this.#effects.push({ do: "log", entry });
  }

  logCounted() {
    for (const entry of this.counter.take()) this.log(entry);
  }

  stopped() {
    this.#effects.push({ do: "stopped" });
  }

  take(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
