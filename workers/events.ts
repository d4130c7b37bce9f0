// What a worker's session and its program tell the log, and docs/OPERATIONS.md lists. The names are
// fixed: tests and alerts stand on them.

export type SessionEvent =
  | { event: "session.opened"; dialect: string; credit: number | null } // READY has no answer.
  | { event: "session.confirmed" } // The broker was heard.
  | { event: "session.lost"; reason: string; abandoned: number; retryMs: number }
  | { event: "session.draining"; inHand: number }
  | { event: "session.stalled"; ms: number }
  | { event: "request.overran"; limitMs: number };

export type WorkerEvent =
  | SessionEvent
  | { event: "worker.started"; broker: string; concurrency: number }
  | { event: "worker.stopped" }
  | { event: "request.failed"; err: unknown };

export const LEVELS: Record<WorkerEvent["event"], "debug" | "info" | "warn" | "error"> = {
  "worker.started": "info",
  "session.opened": "debug",
  "session.confirmed": "info",
  "session.lost": "warn",
  "session.draining": "info",
  "session.stalled": "warn",
  "request.overran": "warn",
  "request.failed": "error",
  "worker.stopped": "info",
};

export const levelOf = (event: WorkerEvent) => LEVELS[event.event];

/** The event as a sentence. */
export function sentenceOf(event: WorkerEvent): string {
  switch (event.event) {
    case "worker.started":
      return `looking for the broker at ${event.broker}`;
    case "session.opened":
      return `READY sent in MDP ${event.dialect}${event.credit === null ? "" : `, credit ${event.credit}`}`;
    case "session.confirmed":
      return "registered with the broker";
    case "session.lost":
      return `${event.reason}: ${event.abandoned} in hand abandoned, READY again in ${event.retryMs} ms`;
    case "session.draining":
      return `told to stop, ${event.inHand} in hand`;
    case "session.stalled":
      return `this worker itself was stopped for ${event.ms} ms`;
    case "request.overran":
      return `a handler took longer than ${event.limitMs} ms`;
    case "request.failed":
      return "a handler threw";
    case "worker.stopped":
      return "stopped, nothing in hand";
  }
}
