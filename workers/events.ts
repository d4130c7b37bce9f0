// What a worker's session tells its log. The names are fixed: tests and alerts stand on them.

export type SessionEvent =
  | { event: "session.opened"; dialect: string; credit: number | null } // READY has no answer.
  | { event: "session.confirmed" } // The broker was heard.
  | { event: "session.lost"; why: string; abandoned: number; retryMs: number }
  | { event: "session.draining"; inHand: number }
  | { event: "session.overslept"; ms: number }
  | { event: "request.overran"; limitMs: number };

const LEVELS: Record<SessionEvent["event"], "debug" | "info" | "warn"> = {
  "session.opened": "debug",
  "session.confirmed": "info",
  "session.lost": "warn",
  "session.draining": "info",
  "session.overslept": "warn",
  "request.overran": "warn",
};

export const levelOf = (event: SessionEvent) => LEVELS[event.event];

/** The event as a sentence. */
export function sentenceOf(event: SessionEvent): string {
  switch (event.event) {
    case "session.opened":
      return `READY sent in MDP ${event.dialect}${event.credit === null ? "" : `, credit ${event.credit}`}`;
    case "session.confirmed":
      return "registered with the broker";
    case "session.lost":
      return `${event.why}: ${event.abandoned} in hand abandoned, READY again in ${event.retryMs} ms`;
    case "session.draining":
      return `told to stop, ${event.inHand} in hand`;
    case "session.overslept":
      return `this worker itself was stopped for ${event.ms} ms`;
    case "request.overran":
      return `a handler took longer than ${event.limitMs} ms`;
  }
}
