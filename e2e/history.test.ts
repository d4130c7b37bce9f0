// Each way in which a history can be wrong, and one that is not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Circumstances, type HistoryEvent, judge, type Verdict } from "./history.ts";

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
  outcome: { refused: "429 the queue is full" },
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

test("a history in which all is well", () => {
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

const WRONG: [string, HistoryEvent[], Partial<Verdict>, string, Circumstances?][] = [
  ["a request that never ends", [asked("a")], { lost: 1 }, "a of c1 never ended"],
  [
    "a request that ends twice",
    [asked("a"), answered("a"), refused("a")],
    { answered: 1, refused: 0, duplicated: 1 },
    "a ended 2 times for c1",
  ],
  [
    "an outcome of what nobody asked",
    [answered("a")],
    { unexpected: 1 },
    "c1 got an outcome of a, which nobody asked",
  ],
  [
    "the reply to another request",
    [asked("a"), asked("b"), answered("a", "c1", "b"), answered("b")],
    { misrouted: 1, answered: 2 },
    "a was answered with the reply to b",
  ],
  [
    "the reply to another client",
    [asked("a"), answered("a", "c2")],
    { misrouted: 1 },
    "a of c1 ended for c2",
  ],
  [
    "a name for two requests",
    [asked("a"), answered("a"), asked("a", "c2"), answered("a", "c2")],
    {},
    "a was asked twice: names are for once",
  ],
  [
    "an execution of what nobody asked",
    [began("1", "a")],
    { unexpected: 1 },
    "w1 began a, which nobody asked",
  ],
  [
    "the end of what never began",
    [finished("1")],
    { unexpected: 1 },
    "w1 finished 1, which it never began",
  ],
  [
    "one execution too many",
    [began("1"), began("1"), began("1", undefined, "w2")],
    { executions: 3, executedAgain: 1, mostExecutions: 3 },
    "1 was begun 3 times, and 2 are allowed",
    { executionsMax: 2 },
  ],
  [
    "an answer out of nothing",
    [asked("a"), answered("a")],
    { answered: 1 },
    "a was answered, and never begun",
    { allBegan: true },
  ],
];

for (const [what, history, expected, sentence, circumstances] of WRONG) {
  test(`found: ${what}`, () => {
    const verdict = judge(history, circumstances);
    assert.deepEqual({ ...verdict, ...expected }, verdict);
    assert.ok(verdict.violations.includes(sentence), verdict.violations.join("\n"));
  });
}

test("a call that is asked again may get the answer to the first time", () => {
  const history = [asked("a"), began("1", "a"), unknown("a"), asked("b", "c2", "a")];
  const circumstances = { allBegan: true };
  assert.deepEqual(judge([...history, answered("b", "c2", "a")], circumstances).violations, []);
  const wrong = judge([...history, answered("b", "c2", "c")], circumstances);
  assert.deepEqual(wrong.violations, ["b was answered with the reply to c"]);
});

test("what a client that went away waited for is not lost, what it gets later is still judged", () => {
  const history = [asked("a"), gone("c1"), asked("b", "c2"), answered("b", "c2")];
  const { abandoned, lost, violations } = judge(history);
  assert.deepEqual([abandoned, lost, violations], [1, 0, []]);
});
