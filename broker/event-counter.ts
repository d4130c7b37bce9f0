// Counts what may come in a flood, so that the log has one line a tick for it and not a line each.

import type { CountedEvent } from "./events.ts";

type Uncounted<Event> = Event extends { count: number } ? Omit<Event, "count"> : never;

export class EventCounter {
  #entries = new Map<string, CountedEvent>();

  add(event: Uncounted<CountedEvent>) {
    const key = Object.values(event).join("\n");
    const entry = this.#entries.get(key) ?? { ...event, count: 0 };
    entry.count += 1;
    this.#entries.set(key, entry);
  }

  /** What was counted since the last call. */
  take(): CountedEvent[] {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    return entries;
  }
}
