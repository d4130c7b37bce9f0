// Events that peers can cause in floods: counted, so that no peer fills the log. The log gets the
// first one at once, then at most one line per COUNTED_LINE_MS with the number of those since the
// last line. Each combination of event and fields has lines of its own.
//
// Peers choose names of services, and come from many addresses, so each event has at most
// COUNTED_LINES_MAX combinations at a time. Further ones share a line, whose service, reason and
// address are "(other)". A line has the `detail` of the last event that it counts.

import type { CountedEvent } from "./events.ts";

/** A counted event without its count. */
export type Uncounted = WithoutCount<CountedEvent>;

type WithoutCount<Event> = Event extends { count: number } ? Omit<Event, "count"> : never;

/** The time between two lines of one combination, at least, in ms. */
export const COUNTED_LINE_MS = 10_000;

/** The combinations of one event that have lines of their own. */
export const COUNTED_LINES_MAX = 100;

type Counted = {
  event: Uncounted;
  /** How many there were since the last line. */
  count: number;
  /** The time of the first call of `due` after the last line, in ms. Null: there was none yet. */
  since: number | null;
};

export class EventCounter {
  #byEvent = new Map<CountedEvent["event"], Map<string, Counted>>();

  /** Counts an event. Returns the entry to log now; null if a later line counts the event. */
  count(event: Uncounted): CountedEvent | null {
    const counted = this.#byEvent.get(event.event) ?? new Map<string, Counted>();
    this.#byEvent.set(event.event, counted);
    const own = keyOf(event);
    const isFull = counted.size >= COUNTED_LINES_MAX && !counted.has(own);
    const shared = isFull ? toShared(event) : event;
    const key = isFull ? keyOf(shared) : own;
    const known = counted.get(key);
    if (known) {
      known.event = shared;
      known.count += 1;
      return null;
    }
    counted.set(key, { event: shared, count: 0, since: null });
    return { ...shared, count: 1 };
  }

  /** Returns the entries to log now. Forgets a combination that nothing was counted for. */
  due(now: number): CountedEvent[] {
    const entries: CountedEvent[] = [];
    for (const counted of this.#byEvent.values()) {
      for (const [key, line] of counted) {
        line.since ??= now;
        if (now - line.since < COUNTED_LINE_MS) continue;
        if (line.count === 0) counted.delete(key);
        else entries.push({ ...line.event, count: line.count });
        line.count = 0;
        line.since = now;
      }
    }
    return entries;
  }

  /** Returns the entries for all events that no line has counted yet, and begins again. */
  rest(): CountedEvent[] {
    const lines = [...this.#byEvent.values()].flatMap((counted) => [...counted.values()]);
    this.#byEvent.clear();
    return lines.filter(({ count }) => count > 0).map(({ event, count }) => ({ ...event, count }));
  }
}

/** All fields but `detail`: a client's text is no key. */
function keyOf(event: Uncounted): string {
  const { detail: _, ...fields } = event as Uncounted & { detail?: string };
  return JSON.stringify(Object.values(fields));
}

const OTHER = "(other)";

function toShared(event: Uncounted): Uncounted {
  const { detail: _, ...fields } = event as Uncounted & { detail?: string };
  const shared: Record<string, unknown> = fields;
  for (const field of ["service", "from", "reason"]) if (field in shared) shared[field] = OTHER;
  return fields;
}
