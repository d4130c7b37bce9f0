// Virtual time: a queue of events, earliest first. Nothing waits; the clock jumps from one event to
// the next.

type Event = {
  at: number;
  order: number; // Of two events at the same time, the one scheduled first runs first.
  run: () => void;
};

export class Clock {
  now = 0; // In ms.
  #events: Event[] = []; // A binary heap.
  #order = 0;

  at(time: number, run: () => void) {
    const event = { at: Math.max(time, this.now), order: this.#order++, run };
    const events = this.#events;
    let place = events.length;
    for (; place > 0; ) {
      const parent = (place - 1) >> 1;
      const above = events[parent] as Event;
      if (!isBefore(event, above)) break;
      events[place] = above;
      place = parent;
    }
    events[place] = event;
  }

  after(ms: number, run: () => void) {
    this.at(this.now + ms, run);
  }

  /**
   * Runs events up to `end`, or until `reached` returns true after an event. Returns whether it
   * did.
   */
  run(end: number, reached: () => boolean = () => false): boolean {
    if (reached()) return true;
    for (let next = this.#events[0]; next && next.at <= end; next = this.#events[0]) {
      this.#takeFirst();
      this.now = next.at;
      next.run();
      if (reached()) return true;
    }
    this.now = Math.max(this.now, end);
    return false;
  }

  #takeFirst() {
    const events = this.#events;
    const last = events.pop() as Event;
    const { length } = events;
    if (length === 0) return;
    let place = 0;
    for (let child = 1; child < length; child = 2 * place + 1) {
      const right = child + 1;
      if (right < length && isBefore(events[right] as Event, events[child] as Event)) child = right;
      const below = events[child] as Event;
      if (!isBefore(below, last)) break;
      events[place] = below;
      place = child;
    }
    events[place] = last;
  }
}

const isBefore = (one: Event, other: Event) =>
  one.at < other.at || (one.at === other.at && one.order < other.order);
