import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokenOff,
  Cancelled,
  Closed,
  Expired,
  NoBroker,
  NotAllowed,
  NoWorker,
  Quarantined,
  QueueFull,
  Refused,
  RequestError,
  ServiceFailed,
  ShuttingDown,
  TimedOut,
  TooManyCallers,
} from "../client.ts";
import type { Exchange } from "./exchange.ts";
import { type Answer, FakeClient } from "./fake-client.testing.ts";
import { outcomeOf } from "./outcome.ts";

const RIGHT = [Buffer.from("right")];
const WRONG = [Buffer.from("wrong")];
const TIMED_OUT = new TimedOut("echo", "no reply");
const NO_BROKER = new NoBroker("echo", "no broker");

/**
 * Sends one request to a service with these answers, in turn. `calls`: the number of tries per id.
 */
async function send(answers: Answer[], { mustExist = false } = {}) {
  const ended: boolean[] = [];
  const exchange: Exchange = {
    service: "echo",
    body: [Buffer.from("body")],
    mismatch: ([frame]) => (String(frame) === "right" ? null : `${frame} is not right`),
    mustExist,
    ended: (answered) => ended.push(answered),
  };
  const client = new FakeClient(() => answers.shift() ?? RIGHT);
  let retries = 0;
  const outcome = await outcomeOf(client, exchange, 1000, () => retries++);
  const calls = [...new Set(client.ids)].map((id) => client.ids.filter((one) => one === id).length);
  const tries = client.services.length;
  return { outcome: outcome.name, reason: outcome.reason, retries, ended, tries, calls };
}

test("correct reply: answered", async () => {
  const { outcome, tries, ended } = await send([RIGHT]);
  assert.deepEqual([outcome, tries, ended], ["answered", 1, [true]]);
});

test("another reply: wrong, with the reason", async () => {
  const { outcome, reason, tries, ended } = await send([WRONG]);
  assert.deepEqual([outcome, tries, ended], ["wrong", 1, [false]]);
  assert.equal(reason, "wrong is not right");
});

test("error of the service or of the client: refused, not tried again", async () => {
  const failed = await send([new ServiceFailed("echo", 400, "too long")]);
  assert.deepEqual([failed.outcome, failed.tries, failed.ended], ["refused", 1, [false]]);
  assert.equal(failed.reason, "400: too long");
  assert.equal((await send([new RequestError("echo", "no")])).outcome, "refused");
});

for (const silence of [TIMED_OUT, NO_BROKER]) {
  test(`${silence.name}: tried again with the same id`, async () => {
    const { outcome, retries, tries, ended, calls } = await send([silence, silence, RIGHT]);
    assert.deepEqual([outcome, retries, tries, ended], ["answered", 2, 3, [true]]);
    assert.deepEqual(calls, [3]);
  });

  test(`${silence.name} three times: lost`, async () => {
    const { outcome, retries, tries, ended } = await send([silence, silence, silence, RIGHT]);
    assert.deepEqual([outcome, retries, tries, ended], ["lost", 2, 3, [false]]);
  });
}

for (const kind of [NoWorker, Expired, ShuttingDown]) {
  const refusal = new kind("echo", 400, "not now");

  test(`${kind.name}: tried again with a new id`, async () => {
    const { outcome, retries, tries, ended, calls } = await send([refusal, refusal, RIGHT]);
    assert.deepEqual([outcome, retries, tries, ended], ["answered", 2, 3, [true]]);
    assert.deepEqual(calls, [1, 1, 1]);
  });

  test(`${kind.name} three times: refused, not wrong`, async () => {
    const absent = { mustExist: true };
    const { outcome, reason, tries } = await send([refusal, refusal, refusal, RIGHT], absent);
    assert.deepEqual([outcome, tries], ["refused", 3]);
    assert.equal(reason, "not now, tried 3 times");
  });
}

test("refusals and time-outs: the last try decides between refused and lost", async () => {
  const refusal = new Expired("echo", 408, "too late");
  const lost = await send([TIMED_OUT, refusal, TIMED_OUT]);
  assert.deepEqual([lost.outcome, lost.calls], ["lost", [2, 1]]);
  assert.equal((await send([TIMED_OUT, TIMED_OUT, refusal])).outcome, "refused");
});

for (const error of [
  new QueueFull("echo", 429, "no"),
  new Quarantined("echo", 502, "no"),
  new Refused("echo", 400, "no"),
  new NotAllowed("echo", 403, "no"),
  new TooManyCallers("echo", 409, "no"),
  new Cancelled("echo", 410, "no"),
  new BrokenOff("echo", "no"),
]) {
  test(`${error.name}: refused, not tried again`, async () => {
    const { outcome, reason, tries } = await send([error, RIGHT]);
    assert.deepEqual([outcome, reason, tries], ["refused", "no", 1]);
  });
}

test("closed client: unfinished, not tried again", async () => {
  const { outcome, retries, tries } = await send([TIMED_OUT, new Closed("echo", "closed"), RIGHT]);
  assert.deepEqual([outcome, retries, tries], ["unfinished", 1, 2]);
});

test("error reply 404: wrong if the document must exist", async () => {
  const absent = new ServiceFailed("db", 404, "no document");
  assert.equal((await send([absent])).outcome, "refused");
  assert.equal((await send([absent], { mustExist: true })).outcome, "wrong");
  const failed = new ServiceFailed("db", 500, "disk full");
  assert.equal((await send([failed], { mustExist: true })).outcome, "refused");
});

test("error of the caller: rejects", async () => {
  await assert.rejects(send([new RangeError("too large")]), RangeError);
});
