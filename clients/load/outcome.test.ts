import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Closed,
  Expired,
  NoBroker,
  NoWorker,
  Quarantined,
  QueueFull,
  Refused,
  RequestError,
  ServiceFailed,
  ShuttingDown,
  TimedOut,
} from "../client.ts";
import type { Exchange } from "./exchange.ts";
import { type Answer, FakeClient } from "./fake-client.testing.ts";
import { outcomeOf } from "./outcome.ts";

const RIGHT = [Buffer.from("right")];
const WRONG = [Buffer.from("wrong")];
const TIMED_OUT = new TimedOut("echo", "no reply");
const NO_BROKER = new NoBroker("echo", "no broker");

/** Asks once, of services that give these answers in turn. `calls`: how often each id was asked. */
async function ask(answers: Answer[], { absentIsWrong = false } = {}) {
  const over: boolean[] = [];
  const exchange: Exchange = {
    service: "echo",
    body: [Buffer.from("body")],
    wrong: ([frame]) => (String(frame) === "right" ? null : `${frame} is not right`),
    absentIsWrong,
    over: (answered) => over.push(answered),
  };
  const client = new FakeClient(() => answers.shift() ?? RIGHT);
  let again = 0;
  const outcome = await outcomeOf(client, exchange, 1000, () => again++);
  const calls = [...new Set(client.ids)].map((id) => client.ids.filter((one) => one === id).length);
  const askings = client.asked.length;
  return { outcome: outcome.name, reason: outcome.reason, again, over, askings, calls };
}

test("a right reply: answered", async () => {
  const { outcome, askings, over } = await ask([RIGHT]);
  assert.deepEqual([outcome, askings, over], ["answered", 1, [true]]);
});

test("another reply: wrong, and why", async () => {
  const { outcome, reason, askings, over } = await ask([WRONG]);
  assert.deepEqual([outcome, askings, over], ["wrong", 1, [false]]);
  assert.equal(reason, "wrong is not right");
});

test("an error of the service or of the client: refused, and not asked again", async () => {
  const failed = await ask([new ServiceFailed("echo", 400, "too long")]);
  assert.deepEqual([failed.outcome, failed.askings, failed.over], ["refused", 1, [false]]);
  assert.equal(failed.reason, "400: too long");
  assert.equal((await ask([new RequestError("echo", "no")])).outcome, "refused");
});

for (const silence of [TIMED_OUT, NO_BROKER]) {
  test(`${silence.name}: asked again, as the same call`, async () => {
    const { outcome, again, askings, over, calls } = await ask([silence, silence, RIGHT]);
    assert.deepEqual([outcome, again, askings, over], ["answered", 2, 3, [true]]);
    assert.deepEqual(calls, [3]);
  });

  test(`${silence.name} three times: lost`, async () => {
    const { outcome, again, askings, over } = await ask([silence, silence, silence, RIGHT]);
    assert.deepEqual([outcome, again, askings, over], ["lost", 2, 3, [false]]);
  });
}

for (const kind of [NoWorker, Expired, ShuttingDown]) {
  const refusal = new kind("echo", 400, "not now");

  test(`${kind.name}: asked again, as a new call`, async () => {
    const { outcome, again, askings, over, calls } = await ask([refusal, refusal, RIGHT]);
    assert.deepEqual([outcome, again, askings, over], ["answered", 2, 3, [true]]);
    assert.deepEqual(calls, [1, 1, 1]);
  });

  test(`${kind.name} three times: refused, and nothing wrong`, async () => {
    const absent = { absentIsWrong: true };
    const { outcome, reason, askings } = await ask([refusal, refusal, refusal, RIGHT], absent);
    assert.deepEqual([outcome, askings], ["refused", 3]);
    assert.equal(reason, "not now, asked 3 times");
  });
}

test("the last asking decides between refused and lost", async () => {
  const refusal = new Expired("echo", 408, "too late");
  const lost = await ask([TIMED_OUT, refusal, TIMED_OUT]);
  assert.deepEqual([lost.outcome, lost.calls], ["lost", [2, 1]]);
  assert.equal((await ask([TIMED_OUT, TIMED_OUT, refusal])).outcome, "refused");
});

for (const kind of [QueueFull, Quarantined, Refused]) {
  test(`${kind.name}: refused, and not asked again`, async () => {
    const { outcome, reason, askings } = await ask([new kind("echo", 400, "no"), RIGHT]);
    assert.deepEqual([outcome, reason, askings], ["refused", "no", 1]);
  });
}

test("a closed client: lost, and not asked again", async () => {
  const { outcome, again, askings } = await ask([TIMED_OUT, new Closed("echo", "closed"), RIGHT]);
  assert.deepEqual([outcome, again, askings], ["lost", 1, 2]);
});

test("an error 404: wrong if what was asked for must be there", async () => {
  const absent = new ServiceFailed("db", 404, "no document");
  assert.equal((await ask([absent])).outcome, "refused");
  assert.equal((await ask([absent], { absentIsWrong: true })).outcome, "wrong");
  const failed = new ServiceFailed("db", 500, "disk full");
  assert.equal((await ask([failed], { absentIsWrong: true })).outcome, "refused");
});

test("what is our own mistake ends the run", async () => {
  await assert.rejects(ask([new RangeError("too large")]), RangeError);
});
