import assert from "node:assert/strict";
import { test } from "node:test";
import type { Counts } from "../../broker/vocabulary.ts";
import { type HistoryEvent, judge } from "../history.ts";
import type { Facts } from "./facts.ts";
import { answered, fakeFacts } from "./fake-facts.ts";
import { findings } from "./findings.ts";
import type { Ended } from "./requests.ts";

test("a run in which all went well has none", () => {
  assert.deepEqual(findings(fakeFacts()), []);
});

const counts = (more: Partial<Counts>) => ({ ...(fakeFacts().counts as Counts), ...more });
const strays = { duplicate: 2, late: 0, resent: 0 };

const asked: HistoryEvent = { event: "asked", request: "a", client: "c" };
const began: HistoryEvent = { event: "began", worker: "w", id: "1", request: "b" };
const wrongReply: HistoryEvent = {
  event: "ended",
  request: "a",
  client: "c",
  outcome: { answers: "b" },
};

const WRONG: [string, Partial<Facts>, Ended[], string[]][] = [
  ["a loss", {}, [answered(1), answered(2, { outcome: "lost" })], ["1 lost"]],
  ["a wrong reply", {}, [answered(1), answered(2, { outcome: "wrong" })], ["1 wrong"]],
  ["a refusal", {}, [answered(1), answered(2, { outcome: "refused" })], ["1 refused"]],
  ["a second reply", { strays }, [answered(1)], ["2 duplicated"]],
  [
    "the history of a request that never ended, and of one that nobody asked",
    { verdict: judge([asked, began]) },
    [],
    ["1 lost", "1 unexpected", "w began b, which nobody asked", "a of c never ended"],
  ],
  [
    "a reply to another request",
    { verdict: judge([asked, wrongReply]) },
    [],
    ["1 misrouted", "a was answered with the reply to b"],
  ],
  [
    "a service that never answered",
    {},
    [answered(1), answered(2, { service: "db", outcome: "refused" })],
    ["1 refused", "no request to db was answered"],
  ],
  [
    "a worker that stayed away",
    { workers: { back: 8, of: 9 } },
    [],
    ["8 of 9 workers were registered in the end"],
  ],
  [
    "an account that does not add up",
    { counts: counts({ received: 6 }) },
    [],
    ["the broker received 6 and accounts for 5"],
  ],
  [
    "requests that stay open",
    { counts: counts({ received: 8, queued: 1, inFlight: 2 }) },
    [],
    ["1 are still queued in the broker", "2 are still in flight in the broker"],
  ],
  ["a broker that is gone", { counts: null }, [], ["the broker did not answer in the end"]],
  ["a fault that failed", { troubles: ["no such container"] }, [], ["no such container"]],
];

for (const [what, more, ended, expected] of WRONG) {
  test(`found: ${what}`, () => assert.deepEqual(findings(fakeFacts(more, ended)), expected));
}
