// Dialogs about handlers of given up requests: they keep their places until they end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MDP_0_1 } from "../protocol/dialects.ts";
import { encode } from "../protocol/mdp.ts";
import { idFrame } from "../protocol/request-id.ts";
import {
  dialog,
  heartbeat,
  INTERVAL_MS,
  OF_0_1_0,
  OF_0_2_0,
  OF_7_MDP,
  request,
} from "./dialog.testing.ts";

const LIMIT_MS = 500;
const incarnation = Buffer.from("thislife");
const ids = [1, 2, 3, 4].map((sequence) => idFrame(incarnation, sequence));
const shownId = (nth: number) => ids[nth]?.toString("hex");

const withId = (nth: number) =>
  encode({
    header: "worker",
    dialect: MDP_0_1,
    name: "REQUEST",
    client: ids[nth] as Buffer,
    body: [Buffer.from("endless")],
  });

const REASON = `the service took longer than ${LIMIT_MS} ms`;
const rejected = (client: unknown) => [
  `abort ${client}: ${REASON}`,
  `> REPLY ${client} ${REASON} mmi.error 500`,
];

function extended(credit: number) {
  const talk = dialog({ credit, timeLimitMs: LIMIT_MS, replies: OF_0_2_0 });
  talk.starts();
  talk.brokerSends(heartbeat);
  return talk;
}

test("overrun: a lower limit before the error reply, the credit again once the handler has ended", () => {
  const { brokerSends, waits, answers, session } = extended(2);
  brokerSends(withId(0));
  assert.deepEqual(waits(LIMIT_MS), ["> HEARTBEAT limit 1", ...rejected(ids[0])]);
  assert.equal(session.ready, true);
  assert.deepEqual(answers(0, "late"), ["> HEARTBEAT limit 2"]);
  assert.deepEqual(answers(0, "twice"), []);
});

test("two overruns at once: one limit for both, and no place: not ready, one log entry", () => {
  const { brokerSends, waits, answers, session, logs } = extended(2);
  brokerSends(withId(0));
  brokerSends(withId(1));
  const lines = waits(LIMIT_MS);
  assert.deepEqual(lines, ["> HEARTBEAT limit 0", ...rejected(ids[0]), ...rejected(ids[1])]);
  assert.equal(session.ready, false);
  const full = logs().filter(({ event }) => event === "session.full");
  assert.deepEqual(full, [{ event: "session.full", abandoned: 2 }]);
  assert.deepEqual(answers(1, "late"), ["> HEARTBEAT limit 1"]);
  assert.equal(session.ready, true);
});

test("REQUEST without a free place: returned", () => {
  const { brokerSends, waits, answers } = extended(1);
  brokerSends(withId(0));
  const returned = (nth: number) => [`> HEARTBEAT returned ${shownId(nth)}`];
  assert.deepEqual(brokerSends(withId(1)), returned(1));
  waits(LIMIT_MS);
  assert.deepEqual(brokerSends(withId(2)), returned(2));
  answers(0, "late");
  assert.deepEqual(brokerSends(withId(3)), ["serve endless"]);
});

test("parts that are too large: the handler keeps its place", () => {
  const { brokerSends, yields, answers } = extended(1);
  brokerSends(withId(0));
  const lines = yields(0, "x".repeat(10_000));
  assert.equal(lines[1], "> HEARTBEAT limit 0");
  assert.match(lines[2] as string, /^> REPLY .* 500$/);
  assert.deepEqual(answers(0, "late"), ["> HEARTBEAT limit 1"]);
});

for (const [name, replies] of [
  ["0.1.0", OF_0_1_0],
  ["7/MDP", OF_7_MDP],
] as const) {
  test(`broker of ${name}, no place: DISCONNECT after the error reply, READY once a handler has ended`, () => {
    const talk = dialog({ credit: 1, timeLimitMs: LIMIT_MS, replies });
    talk.starts();
    talk.brokerSends(request("c1", "endless"));
    assert.deepEqual(talk.waits(LIMIT_MS), [...rejected("c1"), "> DISCONNECT"]);
    assert.deepEqual(talk.brokerSends(request("c2", "crossed our DISCONNECT")), []);
    assert.equal(talk.session.ready, false);
    assert.deepEqual(talk.waits(INTERVAL_MS * 20), ["close"]);
    assert.deepEqual(talk.answers(0, "late"), []);
    const [connect, ready] = talk.waits(100);
    assert.equal(connect, "connect");
    assert.match(ready as string, /^> READY echo/);
  });
}

test("broker of 0.1.0, one place of two: serves on; a REQUEST beyond it waits for our DISCONNECT", () => {
  const talk = dialog({ credit: 2, timeLimitMs: LIMIT_MS, replies: OF_0_1_0 });
  talk.starts();
  talk.brokerSends(request("c1", "endless"));
  assert.deepEqual(talk.waits(LIMIT_MS), rejected("c1"));
  assert.deepEqual(talk.brokerSends(request("c2", "quick")), ["serve quick"]);
  assert.deepEqual(talk.brokerSends(request("c3", "beyond")), []);
  assert.deepEqual(talk.answers(1, "done"), ["> REPLY c2 done", "> DISCONNECT"]);
  assert.equal(talk.reopens(), "> READY echo 1");
  talk.brokerSends(heartbeat);
  assert.deepEqual(talk.brokerSends(request("c3", "beyond")), ["serve beyond"]);
  assert.deepEqual(talk.answers(0, "late"), []);
  assert.deepEqual(talk.answers(2, "done"), ["> REPLY c3 done", "> DISCONNECT"]);
  assert.equal(talk.reopens(), "> READY echo 2");
});

test("broker lost with all places taken: no connection until a handler ends, then READY with that place", () => {
  const { brokerSends, breaks, waits, answers, session } = extended(2);
  brokerSends(withId(0));
  brokerSends(withId(1));
  breaks();
  assert.deepEqual(waits(INTERVAL_MS * 5), []);
  answers(1, "late");
  const [connect, ready] = waits(100);
  assert.equal(connect, "connect");
  assert.match(ready as string, /^> READY echo 1 name=/);
  brokerSends(heartbeat);
  assert.equal(session.ready, true);
  assert.deepEqual(answers(0, "later"), ["> HEARTBEAT limit 2"]);
});

test("drain with handlers of given up requests: stops when they end", () => {
  const { brokerSends, waits, drains, answers, logs } = extended(1);
  brokerSends(withId(0));
  waits(LIMIT_MS);
  assert.deepEqual(drains(), ["> DISCONNECT"]);
  assert.deepEqual(waits(300), ["close"]);
  assert.deepEqual(answers(0, "late"), ["stopped"]);
  assert.ok(!logs().some(({ event }) => event === "handlers.left"));
});

test("drain with a handler that does not end: stops after the time limit, and logs what it leaves", () => {
  const { brokerSends, waits, drains, breaks, logs, answers } = extended(1);
  brokerSends(withId(0));
  breaks();
  assert.deepEqual(drains(), []);
  assert.deepEqual(waits(LIMIT_MS - 1), []);
  assert.deepEqual(waits(1), ["stopped"]);
  assert.deepEqual(logs().at(-1), { event: "handlers.left", count: 1 });
  assert.deepEqual(answers(0, "late"), []);
  assert.deepEqual(drains(), []);
});
