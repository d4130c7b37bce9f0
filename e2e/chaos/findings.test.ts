import assert from "node:assert/strict";
import { test } from "node:test";
import type { Counts } from "../../broker/vocabulary.ts";
import { type HistoryEvent, judge } from "../history.ts";
import type { ChaosResult } from "./chaos-result.ts";
import { answered, fakeResult } from "./fake-result.ts";
import { findings } from "./findings.ts";
import type { EndedRequest } from "./request-log.ts";

test("run that passed: no finding", () => {
  assert.deepEqual(findings(fakeResult()), []);
});

const counts = (more: Partial<Counts>) => ({ ...(fakeResult().counts as Counts), ...more });
const clientCounters = { duplicate: 2, late: 0, resent: 0 };

const asked: HistoryEvent = { event: "asked", request: "a", client: "c" };
const began: HistoryEvent = { event: "began", worker: "w", id: "1", request: "b" };
const wrongReply: HistoryEvent = {
  event: "ended",
  request: "a",
  client: "c",
  outcome: { answers: "b" },
};

const WRONG: [string, Partial<ChaosResult>, EndedRequest[], string[]][] = [
  ["lost request: a finding", {}, [answered(1), answered(2, { outcome: "lost" })], ["1 lost"]],
  ["wrong reply: a finding", {}, [answered(1), answered(2, { outcome: "wrong" })], ["1 wrong"]],
  [
    "rejected request: a finding",
    {},
    [answered(1), answered(2, { outcome: "refused" })],
    ["1 refused"],
  ],
  ["second reply: a finding", { clientCounters }, [answered(1)], ["2 duplicated"]],
  [
    "request without an outcome and execution without a request: a finding each",
    { verdict: judge([asked, began]) },
    [],
    [
      "1 lost",
      "1 unexpected",
      "w began b, which no client sent",
      "a of c has no outcome",
      "no request has an outcome that is known",
    ],
  ],
  [
    "reply to another request: a finding",
    { verdict: judge([asked, wrongReply]) },
    [],
    ["1 misrouted", "a got the reply to b"],
  ],
  ["run without a fault: a finding", { faults: [] }, [answered(1)], ["no fault was injected"]],
  [
    "faults without an effect: a finding",
    { removals: [], workerRecoveries: [], redelivered: 0 },
    [answered(1)],
    ["none of 2 faults had an effect"],
  ],
  [
    "worker removed or registered too late: a finding each",
    {
      removals: [{ target: "echo-2", kind: "killed", at: 0, ms: 6501 }],
      workerRecoveries: [{ target: "echo-2", kind: "killed", at: 0, ms: 30_001 }],
      brokerRecoveries: [{ target: "broker", kind: "killed", at: 0, ms: 30_000 }],
    },
    [answered(1)],
    [
      "echo-2 killed: removed after 6,501 ms, more than 6,500",
      "echo-2 killed: registered again after 30,001 ms, more than 30,000",
    ],
  ],
  [
    "service without a reply: a finding",
    {},
    [answered(1), answered(2, { service: "db", outcome: "refused" })],
    ["1 refused", "db answered no request"],
  ],
  [
    "worker that did not register again: a finding",
    { workers: { registered: 8, total: 9 } },
    [],
    ["only 8 of 9 workers registered after the last fault"],
  ],
  [
    "broker counts that do not add up: a finding",
    { counts: counts({ received: 6 }) },
    [],
    ["the broker received 6 requests, but its other counts add up to 5"],
  ],
  [
    "requests that stay in the broker: a finding each",
    { counts: counts({ received: 8, queued: 1, inFlight: 2 }) },
    [],
    ["1 requests are still queued in the broker", "2 requests are still in flight in the broker"],
  ],
  [
    "broker that does not answer: a finding",
    { counts: null },
    [],
    ["the broker did not answer after the last fault"],
  ],
  ["failed injection: a finding", { errors: ["no such container"] }, [], ["no such container"]],
];

for (const [title, more, ended, expected] of WRONG) {
  test(title, () => assert.deepEqual(findings(fakeResult(more, ended)), expected));
}
