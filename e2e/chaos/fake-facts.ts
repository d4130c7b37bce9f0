// For tests: the facts of a small run in which all went well, and what a test says differently.

import { judge } from "../history.ts";
import type { Facts } from "./facts.ts";
import { type Ended, Requests } from "./requests.ts";

export const STARTED_AT = Date.UTC(2026, 0, 1);

export function fakeFacts(more: Partial<Facts> = {}, ended: Ended[] = SOME): Facts {
  return {
    seed: 42,
    durationMs: 60_000,
    interrupted: false,
    machine: "2 cores",
    leftOut: [],
    startedAt: STARTED_AT,
    healedAt: STARTED_AT + 62_000,
    endedAt: STARTED_AT + 63_000,
    faults: [
      { kind: "killed", target: "echo-2", from: STARTED_AT + 1000, to: STARTED_AT + 4000 },
      { kind: "paused", target: "broker", from: STARTED_AT + 9000, to: STARTED_AT + 9500 },
    ],
    requests: requestsOf(ended),
    examples: [],
    strays: { duplicate: 0, late: 0, resent: 3 },
    verdict: judge([]),
    executedAgain: 1,
    redelivered: 2,
    purges: [{ target: "echo-2", kind: "killed", at: STARTED_AT + 1040, ms: 40 }],
    workerRecoveries: [{ target: "echo-2", kind: "killed", at: STARTED_AT + 4700, ms: 700 }],
    brokerRecoveries: [],
    workers: { back: 9, of: 9 },
    counts: {
      received: 5,
      answered: 4,
      refused: 1,
      expired: 0,
      quarantined: 0,
      clientGone: 0,
      queued: 0,
      inFlight: 0,
      retried: 0,
      requeued: 2,
      repliesDropped: 0,
      messagesDropped: 0,
      workers: 9,
      services: 4,
    },
    troubles: [],
    ...more,
  };
}

function requestsOf(ended: Ended[]): Requests {
  const requests = new Requests();
  for (const one of ended) {
    requests.ask(one.service);
    requests.end(one);
  }
  return requests;
}

export const answered = (nth: number, more: Partial<Ended> = {}): Ended => ({
  service: "echo",
  outcome: "answered",
  at: STARTED_AT + 10 * nth,
  latencyMs: 2,
  ...more,
});

const SOME: Ended[] = [
  answered(1),
  answered(2, { service: "slow", latencyMs: 300 }),
  answered(3, { service: "math" }),
  answered(4, { service: "db" }),
];
