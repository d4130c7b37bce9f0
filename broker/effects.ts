// The effects of one input: messages to send, log entries, the end of the broker. The rules collect
// them here, and main.ts carries them out.

import type { Address, Frame } from "../protocol/frame.ts";
import type { BrokerEvent, CountedEvent } from "./events.ts";

/** One thing for main.ts to do. */
export type Effect =
  | { do: "send"; to: Address; frames: Frame[] }
  | { do: "log"; entry: BrokerEvent }
  /** The drain is over; main.ts closes the socket and ends the process. */
  | { do: "stopped" };

/**
 * The effects that wait for the end of the input that caused them, and the events that wait for a
 * tick.
 */
export class Effects {
  #effects: Effect[] = [];
  #counted = new Map<string, CountedEvent>();

  /** Sends a message. Do not change its frames afterwards. */
  send(to: Address, frames: Frame[]) {
    this.#effects.push({ do: "send", to, frames });
  }

  /** Logs an event. */
  log(entry: BrokerEvent) {
    this.#effects.push({ do: "log", entry });
  }

  /**
   * Counts an event that peers can cause in floods. Per tick the log gets one line for each event,
   * service and reason.
   */
  count(event: Uncounted<CountedEvent>) {
    const key = Object.values(event).join("\n");
    const entry = this.#counted.get(key) ?? { ...event, count: 0 };
    entry.count += 1;
    this.#counted.set(key, entry);
  }

  /** Logs the events counted since the last call. */
  logCounted() {
    for (const entry of this.#counted.values()) this.log(entry);
    this.#counted.clear();
  }

  /** Ends the broker. */
  stopped() {
    this.#effects.push({ do: "stopped" });
  }

  /** Returns the effects since the last call, in order. */
  take(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

type Uncounted<Event> = Event extends { count: number } ? Omit<Event, "count"> : never;
