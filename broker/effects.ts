// The effects of one input: messages to send, log entries, the end of the broker. The rules collect
// them here, and main.ts carries them out.

import type { Address, Frame } from "../protocol/frame.ts";
import { EventCounter, type Uncounted } from "./event-counter.ts";
import { type BrokerEvent, countedOf, type RatedEvent, type TraceEvent } from "./events.ts";
import { LineRate } from "./line-rate.ts";
import { RecentEvents } from "./recent-events.ts";

/** One thing for main.ts to do. */
export type Effect =
  | { do: "send"; to: Address; frames: Frame[] }
  | { do: "log"; entry: BrokerEvent }
  /** The drain is over; main.ts closes the socket and ends the process. */
  | { do: "stopped" };

/** The effects that wait for the end of the input that caused them, and the log of the broker. */
export class Effects {
  /** The last log events, for `mmi.events`: those up to the input before this one. */
  readonly recent = new RecentEvents();
  #effects: Effect[] = [];
  #logged: BrokerEvent[] = []; // By this input.
  #counter = new EventCounter();
  #rates: Record<RatedEvent["event"], LineRate> = {
    "worker.registered": new LineRate(),
    "worker.removed": new LineRate(),
    "request.quarantined": new LineRate(),
  };

  /** Sends a message. Do not change its frames afterwards. */
  send(to: Address, frames: Frame[]) {
    this.#effects.push({ do: "send", to, frames });
  }

  /** Logs an event. */
  log(entry: BrokerEvent) {
    this.#effects.push({ do: "log", entry });
    this.#logged.push(entry);
  }

  /** Logs an event of level debug. `mmi.events` does not have it. */
  trace(entry: TraceEvent) {
    this.#effects.push({ do: "log", entry });
  }

  /** Counts an event that peers can cause in floods. event-counter.ts has the bounds of its lines. */
  count(event: Uncounted) {
    const entry = this.#counter.count(event);
    if (entry) this.log(entry);
  }

  /** Logs an event of a worker; beyond the rate of line-rate.ts a later line counts it. */
  logRated(entry: RatedEvent) {
    if (this.#rates[entry.event].take(entry.worker)) this.log(entry);
    else this.count(countedOf(entry));
  }

  /** Logs the counted events that are due. Call this with each tick. */
  logCounted(now: number) {
    for (const rate of Object.values(this.#rates)) rate.tick(now);
    for (const entry of this.#counter.due(now)) this.log(entry);
  }

  /** Logs the counted events that no line has counted yet, and ends the broker. */
  stopped() {
    for (const entry of this.#counter.rest()) this.log(entry);
    this.#effects.push({ do: "stopped" });
  }

  /** Returns the effects since the last call, in order. */
  take(now: number): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    if (this.#logged.length > 0) this.#remember(now);
    return effects;
  }

  #remember(now: number) {
    for (const entry of this.#logged) this.recent.add(entry, now);
    this.#logged = [];
  }
}
