import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Expired,
  NoBroker,
  NoWorker,
  Quarantined,
  QueueFull,
  Refused,
  ServiceFailed,
  ShuttingDown,
  TimedOut,
} from "./client.ts";
import { explain } from "./explain.ts";
import { type Answer, FakeClient } from "./load/fake-client.testing.ts";

/** What is said of this error, by a client whose broker answers mmi.service so. */
async function say(error: unknown, answer: Answer = new NoBroker("mmi.service", "none")) {
  const [code, sentence] = await explain(error, new FakeClient(() => answer), "echo");
  return `${code} ${sentence}`;
}

for (const [kind, code, advice] of [
  [Expired, 3, ": wait longer with --timeout"],
  [NoWorker, 4, ": start a worker of echo, or wait longer with --timeout"],
  [QueueFull, 5, ": start more of echo, or ask again later"],
  [Refused, 5, ""],
  [Quarantined, 6, ": see in the logs of echo what it does"],
  [ShuttingDown, 7, ": ask again once the next broker is there"],
] as const) {
  test(`${kind.name}: exit code ${code}, what the broker says, and what to do next`, async () => {
    const error = new kind("echo", 418, "no");
    assert.equal(await say(error), `${code} the broker says 418: no${advice}`);
  });
}

test("a service's error is its own, whatever its code", async () => {
  assert.equal(
    await say(new ServiceFailed("echo", 404, "no such thing")),
    "2 echo says 404: no such thing",
  );
});

test("no broker, and how to get one", async () => {
  const next = "start one with `npm run broker`, or name another with --broker";
  assert.equal(await say(new NoBroker("echo", "no broker")), `1 no broker: ${next}`);
});

test("without a word in time, the broker is asked why", async () => {
  const error = new TimedOut("echo", "no reply");
  const code = (digits: string) => [Buffer.from(digits)];
  assert.equal(await say(error, code("200")), "3 no reply");
  assert.equal(await say(error, code("501")), "3 no reply");
  const absent = "no worker of echo is registered with the broker";
  assert.equal(await say(error, code("404")), `4 no reply: ${absent}`);
  assert.equal(await say(error), "3 no reply: the broker itself does not answer");
});

test("wrong use is said in one sentence", async () => {
  assert.equal(await say(new RangeError("too large")), "1 too large");
});
