import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokenOff,
  Cancelled,
  Expired,
  NoBroker,
  NotAllowed,
  NoWorker,
  Quarantined,
  QueueFull,
  Refused,
  ServiceFailed,
  ShuttingDown,
  TimedOut,
  TooManyCallers,
} from "./client.ts";
import { explain } from "./explain.ts";
import { type Answer, FakeClient } from "./load/fake-client.testing.ts";

/** Returns "code message" for an error, with a broker that answers mmi.service with `answer`. */
async function explained(error: unknown, answer: Answer = new NoBroker("mmi.service", "none")) {
  const [code, sentence] = await explain(error, new FakeClient(() => answer), "echo", 1000);
  return `${code} ${sentence}`;
}

for (const [kind, code, advice] of [
  [Expired, 3, ": wait longer with --timeout"],
  [NoWorker, 4, ": start a worker of echo, or wait longer with --timeout"],
  [NotAllowed, 5, ": use a key that may call echo"],
  [TooManyCallers, 5, ": try again when one of them has its reply"],
  [Cancelled, 5, ": send it again as a new request"],
  [QueueFull, 5, ": start more workers of echo, or try again later"],
  [Refused, 5, ""],
  [Quarantined, 6, ": check the logs of echo"],
  [ShuttingDown, 7, ": try again when the next broker runs"],
] as const) {
  test(`${kind.name}: exit code ${code}, the broker's sentence and the next step`, async () => {
    const error = new kind("echo", 418, "no");
    assert.equal(
      await explained(error),
      `${code} the broker rejected the request (418): no${advice}`,
    );
  });
}

test("error reply of a service: exit code 2, with any code", async () => {
  assert.equal(
    await explained(new ServiceFailed("echo", 404, "no such thing")),
    "2 echo returned 404: no such thing",
  );
});

test("BrokenOff: exit code 3, and the next step", async () => {
  assert.equal(await explained(new BrokenOff("echo", "it broke off")), "3 it broke off: try again");
});

test("NoBroker: how to start one", async () => {
  const next = "start one with `npm run broker`, or choose another with --broker";
  assert.equal(await explained(new NoBroker("echo", "no broker")), `1 no broker: ${next}`);
});

test("TimedOut: mmi.service shows whether a worker is registered", async () => {
  const error = new TimedOut("echo", "no reply");
  const code = (digits: string) => [Buffer.from(digits)];
  assert.equal(await explained(error, code("200")), "3 no reply");
  assert.equal(await explained(error, code("501")), "3 no reply");
  const absent = "no worker of echo is registered with the broker";
  assert.equal(await explained(error, code("404")), `4 no reply: ${absent}`);
  assert.equal(await explained(error), "3 no reply: the broker does not answer either");
});

test("other error: exit code 1 and its message", async () => {
  assert.equal(await explained(new RangeError("too large")), "1 too large");
});
