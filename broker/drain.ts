// The drain: the way of a broker from service to its end, as a state machine.
//
// Theory of operation. A stop signal must lose no request that the broker has accepted, and must not wait
// for ever. So the broker first stops to accept requests, and lets those in flight finish. Workers may
// still register, since they could be what a queued request needs; a rejected worker would also reconnect
// in a tight loop. Once nothing is in flight, or drainMs have passed, every open request is settled with
// 503 and every worker gets DISCONNECT. The sockets stay open a little longer, so that TCP delivers these
// last messages. Then the process ends.
//
//   state      requests   workers    ends
//   serving    accepted   accepted   with a stop signal
//   draining   rejected   accepted   when nothing is in flight, or after drainMs
//   leaving    rejected   rejected   after LEAVE_MS
//   stopped    rejected   rejected   never
//
// A retry is no new request: in each state it gets the outcome of its call, if the broker knows the call.
//
// This file has the states alone. broker.ts raises the events, and acts when a state begins.

import { LEAVE_MS } from "../protocol/heartbeat.ts";

export type DrainState = "serving" | "draining" | "leaving" | "stopped";

/** A stop signal came; nothing is in flight; the time of the state is over. */
export type DrainEvent = "stop" | "idle" | "timeout";

/** The state that each event leads to. An event without an entry changes nothing. */
export const TRANSITIONS: Record<DrainState, Partial<Record<DrainEvent, DrainState>>> = {
  serving: { stop: "draining" },
  draining: { idle: "leaving", timeout: "leaving" },
  leaving: { timeout: "stopped" },
  stopped: {},
};

/** The state of one broker's drain. */
export class Drain {
  #state: DrainState = "serving";
  #timeouts: Partial<Record<DrainState, number>>;
  #endsAt: number | null = null; // When the state times out, in ms. Null: it does not.

  /** `drainMs` is the most that the state "draining" may take. */
  constructor({ drainMs }: { drainMs: number }) {
    this.#timeouts = { draining: drainMs, leaving: LEAVE_MS };
  }

  get acceptsRequests(): boolean {
    return this.#state === "serving";
  }

  get acceptsWorkers(): boolean {
    return this.#state === "serving" || this.#state === "draining";
  }

  /** Whether the event "timeout" has happened. */
  isTimedOut(now: number): boolean {
    return this.#endsAt !== null && now >= this.#endsAt;
  }

  /** Handles an event. Returns the state that begins with it; null if the event changes nothing. */
  on(event: DrainEvent, now: number): DrainState | null {
    const next = TRANSITIONS[this.#state][event];
    if (!next) return null;
    this.#state = next;
    const timeout = this.#timeouts[next];
    this.#endsAt = timeout === undefined ? null : now + timeout;
    return next;
  }
}
