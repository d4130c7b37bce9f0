// The events of all brokers, for the page: the last FEED_MAX, numbered by the console. Beside the events
// that brokers log, the console adds its own: a broker that does not answer, and one that restarted.

import type { NumberedEvent } from "../../protocol/management.ts";

/** The most events that the console keeps. */
export const FEED_MAX = 1000;

export type FeedEvent = {
  /** The number of this event at the console, from 1. */
  nth: number;
  /** The endpoint of the broker. */
  broker: string;
  /** In ms since 1970; of the broker's clock for its own events. */
  at: number;
  event: string;
  /** The event as a sentence. */
  sentence: string;
  /** The name of the worker that it concerns; null for none. */
  worker: string | null;
  /** A worker or a request is lost, or the broker itself. */
  isBad: boolean;
  /** The ids of the requests that it concerns. */
  requests: string[];
};

/** The last events, oldest first. */
export class Feed {
  #events: FeedEvent[] = [];
  #last = 0;

  /** The number of the newest event. */
  get last(): number {
    return this.#last;
  }

  /** The events after this number, oldest first. */
  after(nth: number): FeedEvent[] {
    return this.#events.slice(Math.max(0, this.#events.length - (this.#last - nth)));
  }

  /** Adds an event of a broker. */
  add(broker: string, { at, event, msg, sequence, ...fields }: NumberedEvent, now: number) {
    const isBad = BAD.has(event) || (event === "worker.removed" && fields.reason !== "left");
    this.#push({
      broker,
      at: typeof at === "number" ? at : now,
      event,
      sentence: typeof msg === "string" ? msg : event,
      worker: typeof fields.name === "string" ? fields.name : null,
      isBad,
      requests: requestsOf(fields),
    });
  }

  /** Adds an event of the console itself. */
  note(broker: string, event: string, sentence: string, now: number) {
    this.#push({
      broker,
      at: now,
      event,
      sentence,
      worker: null,
      isBad: BAD.has(event),
      requests: [],
    });
  }

  #push(event: Omit<FeedEvent, "nth">) {
    this.#last += 1;
    this.#events.push({ nth: this.#last, ...event });
    if (this.#events.length > FEED_MAX) this.#events.shift();
  }
}

const BAD = new Set([
  "request.quarantined",
  "broker.stalled",
  "broker.unreachable",
  "broker.restarted",
]);

function requestsOf({ request, requests }: Record<string, unknown>): string[] {
  if (typeof request === "string") return [request];
  return Array.isArray(requests) ? requests.map(String) : [];
}
