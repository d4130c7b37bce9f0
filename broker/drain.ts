// The drain: the way of a broker from service to its end, as a state machine.
//
// Theory of operation. A broker that ends must cut off few requests, and must end soon. So it first
// rejects new requests, and lets workers finish those that it has accepted. Workers may still
// register: a request whose worker is removed needs another one, and a rejected worker would
// reconnect in a tight loop. Once nothing is in flight, or after drainMs, the broker settles all
// open requests with 503 and sends DISCONNECT to all workers. Its sockets stay open for LEAVE_MS, so
// that TCP delivers these last messages. Then the process ends.
//
//   state      requests   workers    ends
//   serving    accepted   accepted   with a stop signal
//   draining   rejected   accepted   when nothing is in flight, or after drainMs
//   leaving    rejected   rejected   after LEAVE_MS
//   stopped    rejected   rejected   never
//
// A retry is not a new request: in each state it gets the outcome of its call.
//
// This file has only the states. broker.ts raises the events, and acts when a state begins.

import { LEAVE_MS } from "../protocol/heartbeat.ts";

/** The states, in their order. */
export type DrainState = "serving" | "draining" | "leaving" | "stopped";

/** "stop": a stop signal came; "idle": nothing is in flight; "timeout": the state took too long. */
export type DrainEvent = "stop" | "idle" | "timeout";

/** The state that each event leads to. An event without an entry changes nothing. */
const TRANSITIONS: Record<DrainState, Partial<Record<DrainEvent, DrainState>>> = {
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

  /** Whether a stop signal came. From then on new requests are rejected. */
  get hasBegun(): boolean {
    return this.#state !== "serving";
  }

  /** Whether a worker may register. */
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
