// One broker, as the console sees it: its latest figures, its removed workers and its state.

import type { Feed } from "./feed.ts";
import { type Activity, activityBetween, NO_ACTIVITY, sumOf } from "./rates.ts";
import type { Counters, EventsReading, FiguresReading, WorkerReading } from "./readings.ts";
import { Removals } from "./removals.ts";

export type BrokerState = "connecting" | "up" | "restarted" | "unreachable" | "draining";

/** How long the console shows that a broker restarted, in ms. */
export const RESTARTED_SHOWN_MS = 30_000;

export class BrokerView {
  readonly endpoint: string;
  readonly removals = new Removals();
  /** The latest figures; null before the first ones, and while the broker does not answer. */
  figures: FiguresReading | null = null;
  /** When the figures were read, in ms. */
  figuresAt = 0;
  workers: WorkerReading[] = [];
  incarnation = "";
  /** Why the broker does not answer; empty while it does. */
  reason = "";
  #feed: Feed;
  #lastSequence = 0;
  #restartedAt = -Infinity;
  #isDraining = false;
  #counted = new Map<string, Counters>();
  #activities = new Map<string, Activity>();

  constructor(endpoint: string, feed: Feed) {
    this.endpoint = endpoint;
    this.#feed = feed;
  }

  /** The number of the last event that the console has: the next reading begins after it. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  stateAt(now: number): BrokerState {
    if (this.reason !== "") return "unreachable";
    if (this.figures === null) return "connecting";
    if (this.#isDraining) return "draining";
    return now - this.#restartedAt < RESTARTED_SHOWN_MS ? "restarted" : "up";
  }

  /** Adds the events since the last reading. Returns whether a worker came or went. */
  readEvents({ incarnation, events }: EventsReading, now: number): boolean {
    const isFirst = this.incarnation === "";
    if (this.incarnation !== incarnation) this.#begin(incarnation, now);
    const missed = (events[0]?.sequence ?? 0) - this.#lastSequence - 1;
    if (this.#lastSequence > 0 && missed > 0)
      this.#feed.note(this.endpoint, "events.missed", `${missed} events are no longer known`, now);
    let hasChanged = false;
    for (const event of events) {
      this.#lastSequence = event.sequence;
      if (event.event === "broker.draining") this.#isDraining = true;
      this.#feed.add(this.endpoint, event, now);
      if (!event.event.startsWith("worker.")) continue;
      hasChanged = true;
      // The first reading has removals of the time before the console started.
      if (event.event === "worker.removed" && !isFirst) this.#removed(event, now);
    }
    return hasChanged;
  }

  readFigures(figures: FiguresReading, now: number) {
    this.#answers(now);
    this.figures = figures;
    this.figuresAt = now;
    if (figures.workers) this.workers = figures.workers;
    this.removals.follow(figures.stats.interrupted);
    for (const { service, counters } of figures.services)
      if (counters) this.#count(service, counters);
  }

  /** The broker did not answer. */
  failed(reason: string, now: number) {
    if (this.reason === "")
      this.#feed.note(
        this.endpoint,
        "broker.unreachable",
        `the broker does not answer: ${reason}`,
        now,
      );
    this.reason = reason;
    this.figures = null;
    this.workers = [];
  }

  /** Takes the replies of each service since the last call. */
  takeActivities(): Map<string, Activity> {
    const taken = this.#activities;
    this.#activities = new Map();
    return taken;
  }

  #begin(incarnation: string, now: number) {
    if (this.incarnation !== "") {
      const sentence = "the broker restarted; workers register again, clients send again";
      this.#feed.note(this.endpoint, "broker.restarted", sentence, now);
      this.#restartedAt = now;
    }
    this.incarnation = incarnation;
    this.#lastSequence = 0;
    this.#isDraining = false;
    this.#counted = new Map();
    this.workers = [];
  }

  #answers(now: number) {
    if (this.reason !== "")
      this.#feed.note(this.endpoint, "broker.reached", "the broker answers again", now);
    this.reason = "";
  }

  #removed(event: EventsReading["events"][number], now: number) {
    const last = this.workers.find(({ worker }) => worker === event.worker);
    this.workers = this.workers.filter((each) => each !== last);
    this.removals.add(event, last, now);
  }

  #count(service: string, counters: Counters) {
    const before = this.#counted.get(service);
    this.#counted.set(service, counters);
    // The first reading of a broker that runs for long is no activity of this second.
    if (!before) return;
    const earlier = this.#activities.get(service) ?? NO_ACTIVITY;
    this.#activities.set(service, sumOf([earlier, activityBetween(before, counters)]));
  }
}
