// The checker finds each kind of violation, and none in a correct history.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Expectations, type HistoryEvent, judge, type Verdict } from "./history.ts";

const asked = (request: string, client = "c1", again?: string): HistoryEvent => ({
  event: "asked",
  request,
  client,
  ...(again !== undefined && { again }),
});
const answered = (request: string, client = "c1", answers = request): HistoryEvent => ({
  event: "ended",
  request,
  client,
  outcome: { answers },
});
const refused = (request: string, client = "c1"): HistoryEvent => ({
  event: "ended",
  request,
  client,
  outcome: { refused: "429 the service has too many open requests" },
});
const unknown = (request: string, client = "c1"): HistoryEvent => ({
  event: "ended",
  request,
  client,
  outcome: { unknown: "timed out" },
});
const began = (id: string, request?: string, worker = "w1"): HistoryEvent => ({
  event: "began",
  worker,
  id,
  ...(request !== undefined && { request }),
});
const finished = (id: string, worker = "w1"): HistoryEvent => ({ event: "finished", worker, id });
const gone = (client: string): HistoryEvent => ({ event: "client.gone", client });

const CLEAN: HistoryEvent[] = [
  asked("a"),
  began("1", "a"),
  finished("1"),
  answered("a"),
  asked("b"),
  refused("b"),
  asked("c"),
  began("2", "c"),
  unknown("c"),
  asked("d", "c2"),
  gone("c2"),
  began("2", "c", "w2"),
  finished("2", "w2"),
];

test("correct history: no violation", () => {
  const verdict: Verdict = {
    asked: 4,
    answered: 1,
    refused: 1,
    unknown: 1,
    abandoned: 1,
    lost: 0,
    duplicated: 0,
    unexpected: 0,
    misrouted: 0,
    executions: 3,
    executedAgain: 1,
    mostExecutions: 2,
    violations: [],
  };
  assert.deepEqual(judge(CLEAN, { executionsMax: 2, allBegan: true }), verdict);
  assert.deepEqual(judge([]).violations, []);
});

const WRONG: [string, HistoryEvent[], Partial<Verdict>, string, Expectations?][] = [
  ["request without an outcome: lost", [asked("a")], { lost: 1 }, "a of c1 has no outcome"],
  [
    "request with two outcomes: duplicated",
    [asked("a"), answered("a"), refused("a")],
    { answered: 1, refused: 0, duplicated: 1 },
    "a has 2 outcomes at c1",
  ],
  [
    "outcome without a request: unexpected",
    [answered("a")],
    { unexpected: 1 },
    "c1 got an outcome of a, which no client sent",
  ],
  [
    "reply to another request: misrouted",
    [asked("a"), asked("b"), answered("a", "c1", "b"), answered("b")],
    { misrouted: 1, answered: 2 },
    "a got the reply to b",
  ],
  [
    "reply at another client: misrouted",
    [asked("a"), answered("a", "c2")],
    { misrouted: 1 },
    "c2 got the outcome of a, which c1 sent",
  ],
  [
    "one name for two requests: a violation",
    [asked("a"), answered("a"), asked("a", "c2"), answered("a", "c2")],
    {},
    "two requests have the name a",
  ],
  [
    "execution without a request: unexpected",
    [began("1", "a")],
    { unexpected: 1 },
    "w1 began a, which no client sent",
  ],
  [
    "end of an execution without its begin: unexpected",
    [finished("1")],
    { unexpected: 1 },
    "w1 finished 1 without a begin",
  ],
  [
    "more executions than allowed: a violation",
    [began("1"), began("1"), began("1", undefined, "w2")],
    { executions: 3, executedAgain: 1, mostExecutions: 3 },
    "1 has 3 executions, more than 2",
    { executionsMax: 2 },
  ],
  [
    "reply without an execution: a violation",
    [asked("a"), answered("a")],
    { answered: 1 },
    "a got a reply, but no worker began it",
    { allBegan: true },
  ],
];

for (const [title, history, expected, sentence, expectations] of WRONG) {
  test(title, () => {
    const verdict = judge(history, expectations);
    assert.deepEqual({ ...verdict, ...expected }, verdict);
    assert.ok(verdict.violations.includes(sentence), verdict.violations.join("\n"));
  });
}

test("repeated call that gets the reply to its first attempt: no violation", () => {
  const history = [asked("a"), began("1", "a"), unknown("a"), asked("b", "c2", "a")];
  const expectations = { allBegan: true };
  assert.deepEqual(judge([...history, answered("b", "c2", "a")], expectations).violations, []);
  const wrong = judge([...history, answered("b", "c2", "c")], expectations);
  assert.deepEqual(wrong.violations, ["b got the reply to c"]);
});

test("open request of a client that left: abandoned, not lost", () => {
  const history = [asked("a"), gone("c1"), asked("b", "c2"), answered("b", "c2")];
  const { abandoned, lost, violations } = judge(history);
  assert.deepEqual([abandoned, lost, violations], [1, 0, []]);
});
