// The log events of a worker. Their names are stable, because tests and alerts depend on them;
// docs/OPERATIONS.md lists them. `request` is the request id, as in the log of the broker; null if the
// broker sends none. No event has a call id, because a call id fetches the reply of its call.

import { type Unreachable, unreachableSentence } from "../transport/transport.ts";

export type SessionEvent =
  // READY has no answer. `extended`: with keys.
  | { event: "session.opened"; dialect: string; credit: number | null; extended: boolean }
  | ({ event: "session.unreachable" } & Unreachable)
  // The first command of the broker arrived. `incarnation`: null if the broker sent none.
  | { event: "session.confirmed"; incarnation: string | null }
  // The broker replied to the capability probe after READY; the next READY has more frames.
  | { event: "session.renewing" }
  | { event: "session.lost"; reason: string; abandoned: number; retryMs: number }
  | { event: "session.draining"; inFlight: number }
  // `abandoned` handlers have all places, so no requests arrive.
  | { event: "session.full"; abandoned: number }
  // The worker stopped while so many handlers ran.
  | { event: "handlers.left"; count: number }
  | { event: "session.stalled"; ms: number }
  | { event: "request.overran"; request: string | null; limitMs: number }
  | { event: "reply.oversized"; request: string | null; reason: string };

export type WorkerEvent =
  | SessionEvent
  | { event: "worker.started"; broker: string; concurrency: number }
  | { event: "worker.stopped" }
  | { event: "request.failed"; request: string | null; err: unknown };

export const LEVELS: Record<WorkerEvent["event"], "debug" | "info" | "warn" | "error"> = {
  "worker.started": "info",
  "session.opened": "debug",
  "session.unreachable": "warn",
  "session.confirmed": "info",
  "session.renewing": "info",
  "session.lost": "warn",
  "session.draining": "info",
  "session.full": "warn",
  "handlers.left": "warn",
  "session.stalled": "warn",
  "request.overran": "warn",
  "reply.oversized": "error",
  "request.failed": "error",
  "worker.stopped": "info",
};

/** The level that an event is logged at. */
export const levelOf = (event: WorkerEvent) => LEVELS[event.event];

/** The message that is logged with an event. */
export function sentenceOf(event: WorkerEvent): string {
  switch (event.event) {
    case "worker.started":
      return `connecting to the broker at ${event.broker}`;
    case "session.opened":
      return `sent READY in MDP ${event.dialect}${event.credit === null ? "" : `, credit ${event.credit}`}`;
    case "session.unreachable":
      return unreachableSentence(event);
    case "session.confirmed":
      return "registered with the broker";
    case "session.renewing":
      return "the broker supports more than this session uses; opening another session";
    case "session.lost":
      return (
        `lost the broker (${event.reason}); ${requests(event.abandoned)} abandoned; ` +
        `reconnecting in ${event.retryMs} ms`
      );
    case "session.draining":
      return `draining: ${requests(event.inFlight)} in flight`;
    case "session.full":
      return `${handlers(event.abandoned)} of given up requests have all places; no requests until one ends`;
    case "handlers.left":
      return `stopping while ${handlers(event.count)} of given up requests still run`;
    case "session.stalled":
      return `this process did not run for ${event.ms} ms; the lease of the broker begins again`;
    case "request.overran":
      return `a handler took longer than ${event.limitMs} ms; its client gets an error reply`;
    case "reply.oversized":
      return `${event.reason}; the client gets an error reply`;
    case "request.failed":
      return "a handler threw an error; its client gets an error reply";
    case "worker.stopped":
      return "stopped";
  }
}

const requests = (count: number) => (count === 1 ? "1 request" : `${count} requests`);
const handlers = (count: number) => (count === 1 ? "1 handler" : `${count} handlers`);
