// For tests: the result of a small run that passed, with a test's changes.

import { judge } from "../history.ts";
import type { ChaosResult } from "./chaos-result.ts";
import { type EndedRequest, RequestLog } from "./request-log.ts";

export const STARTED_AT = Date.UTC(2026, 0, 1);

export function fakeResult(
  more: Partial<ChaosResult> = {},
  ended: EndedRequest[] = SOME,
): ChaosResult {
  return {
    seed: 42,
    durationMs: 60_000,
    interrupted: false,
    machine: "2 cores",
    unsupported: [],
    startedAt: STARTED_AT,
    healedAt: STARTED_AT + 62_000,
    endedAt: STARTED_AT + 63_000,
    faults: [
      { kind: "killed", target: "echo-2", from: STARTED_AT + 1000, to: STARTED_AT + 4000 },
      { kind: "paused", target: "broker", from: STARTED_AT + 9000, to: STARTED_AT + 9500 },
    ],
    requests: requestsOf(ended),
    examples: [],
    clientCounters: { duplicate: 0, late: 0, resent: 3 },
    verdict: judge([]),
    executedAgain: 1,
    redelivered: 2,
    removals: [{ target: "echo-2", kind: "killed", at: STARTED_AT + 1040, ms: 40 }],
    workerRecoveries: [{ target: "echo-2", kind: "killed", at: STARTED_AT + 4700, ms: 700 }],
    brokerRecoveries: [],
    workers: { registered: 9, total: 9 },
    counts: {
      received: 5,
      answered: 4,
      refused: 1,
      expired: 0,
      quarantined: 0,
      cancelled: 0,
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
    errors: [],
    ...more,
  };
}

function requestsOf(ended: EndedRequest[]): RequestLog {
  const requests = new RequestLog();
  for (const one of ended) {
    requests.begin(one.service);
    requests.end(one);
  }
  return requests;
}

export const answered = (index: number, more: Partial<EndedRequest> = {}): EndedRequest => ({
  service: "echo",
  outcome: "answered",
  at: STARTED_AT + 10 * index,
  latencyMs: 2,
  ...more,
});

const SOME: EndedRequest[] = [
  answered(1),
  answered(2, { service: "slow", latencyMs: 300 }),
  answered(3, { service: "math" }),
  answered(4, { service: "db" }),
];
