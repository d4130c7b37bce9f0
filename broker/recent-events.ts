// The last log events of a broker, for `mmi.events`. Events of level debug are not among them.

import type { NumberedEvent } from "../protocol/management.ts";
import { type BrokerEvent, sentenceOf } from "./events.ts";

/** How many events a broker keeps. */
export const RECENT_EVENTS_MAX = 1000;

type Kept = {
  event: NumberedEvent;
  /** The size of its JSON, in bytes. */
  bytes: number;
};

/** The last RECENT_EVENTS_MAX events, numbered from 1. */
export class RecentEvents {
  #ring: Kept[] = []; // The event with this sequence number is at its remainder.
  #lastSequence = 0;

  /** Adds an event, and forgets the oldest one past the bound. `at` is in ms of the broker's clock. */
  add(entry: BrokerEvent, at: number) {
    this.#lastSequence += 1;
    const msg = sentenceOf(entry);
    const event = { sequence: this.#lastSequence, at: Math.round(at), ...entry, msg };
    const bytes = Buffer.byteLength(JSON.stringify(event));
    this.#ring[this.#lastSequence % RECENT_EVENTS_MAX] = { event, bytes };
  }

  /**
   * The events after the one with this sequence number, in order: as many as fit into a JSON array
   * of `bytesMax` bytes. The reader gets the rest with its next request. An event that does not fit
   * alone is left out.
   */
  after(sequence: number, bytesMax: number): NumberedEvent[] {
    const events: NumberedEvent[] = [];
    let bytes = BRACKETS_BYTES;
    const oldest = this.#lastSequence - RECENT_EVENTS_MAX + 1;
    for (let next = Math.max(sequence + 1, oldest, 1); next <= this.#lastSequence; next += 1) {
      const kept = this.#ring[next % RECENT_EVENTS_MAX] as Kept;
      if (bytes + kept.bytes + COMMA_BYTES > bytesMax) {
        if (events.length > 0) break;
        continue;
      }
      events.push(kept.event);
      bytes += kept.bytes + COMMA_BYTES;
    }
    return events;
  }
}

const BRACKETS_BYTES = 2;
const COMMA_BYTES = 1;
