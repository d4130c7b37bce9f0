import assert from "node:assert/strict";
import { test } from "node:test";
import { ServiceFailed, TimedOut } from "../client.ts";
import { type Answer, FakeClient, workingServices } from "./fake-client.testing.ts";
import type { Options } from "./options.ts";
import { makeReport } from "./report.ts";
import { run } from "./run.ts";
import { Statistics } from "./statistics.ts";
import type { Mix } from "./workload.ts";

const MIX: Mix = new Map([
  ["echo", 1],
  ["math", 1],
  ["db", 1],
]);

const OPTIONS: Options = {
  broker: "tcp://broker:5555",
  transport: "zmtp",
  duration: 0,
  messageBytesMax: 2 ** 24,
  mix: MIX,
  own: null,
  outstanding: 4,
  rate: null,
  timeout: 20,
  every: 2,
  json: true,
};

/** Returns the report of a run that is stopped at the given try. */
async function report(
  tries: number,
  answer: (nth: number, right: Answer, client: FakeClient, leave: () => void) => Answer,
  options: Partial<Options> = {},
) {
  const services = workingServices();
  const stop = new AbortController();
  const leave = new AbortController();
  let nth = 0;
  const client = new FakeClient((service, body) => {
    nth++;
    if (nth === tries) stop.abort();
    return answer(nth, services(service, body), client, () => leave.abort());
  });
  const all = { ...OPTIONS, ...options };
  const statistics = new Statistics(all.mix.keys(), performance.now());
  const facts = await run(client, all, statistics, stop.signal, leave.signal);
  return makeReport(all, facts, statistics, client);
}

const conserved = ({ total }: Awaited<ReturnType<typeof report>>) =>
  assert.equal(
    total.sent,
    total.answered + total.refused + total.wrong + total.lost + total.unfinished,
  );

test("services without faults: each request answered, the run passes", async () => {
  const result = await report(300, (_, right) => right);
  const { total, services, latencyHistogram } = result;
  assert.ok(result.passed);
  assert.equal(result.verdict, "PASS: 300 of 300 requests got the correct reply exactly once.");
  assert.equal(total.sent, 300);
  assert.equal(total.answered, 300);
  assert.ok(services.echo && services.math && services.db);
  const parts = Object.values(services).map(({ answered }) => answered);
  assert.ok(Math.min(...parts) > 0);
  assert.equal(
    parts.reduce((sum, part) => sum + part),
    300,
  );
  assert.equal(
    latencyHistogram.reduce((sum, { count }) => sum + count, 0),
    300,
  );
});

test("one fault of each kind: each column counts its own, the run fails", async () => {
  const faults = new Map<number, Answer>([
    [5, [Buffer.from("of another request")]],
    [7, new ServiceFailed("any", 500, "out of order")],
    [9, new TimedOut("any", "no reply")],
    [13, "silence"],
  ]);
  const result = await report(100, (nth, right, client, leave) => {
    if (nth === 100) leave();
    if (nth === 20) client.unmatchedReplies.duplicate += 2;
    if (nth === 30) client.unmatchedReplies.late += 1;
    return faults.get(nth) ?? right;
  });
  const { latencyMs, ...total } = result.total;
  assert.deepEqual(total, {
    sent: 99, // 100 tries, one of them the second of its request.
    answered: 96,
    refused: 1,
    timedOut: 1,
    lost: 0,
    duplicated: 2,
    wrong: 1,
    unfinished: 1,
  });
  conserved(result);
  assert.equal(result.lateReplies, 1);
  assert.deepEqual(
    result.examples.map(({ outcome }) => outcome),
    ["wrong", "refused", "unfinished"],
  );
  assert.equal(result.passed, false);
  assert.equal(result.verdict, "FAIL: 2 duplicated, 1 wrong of 99 requests.");
});

test("wait for the last tries cut off: unfinished, neither lost nor answered", async () => {
  const result = await report(50, (nth, right, _client, leave) => {
    if (nth === 50) setTimeout(leave, 1);
    return nth >= 47 ? "silence" : right;
  });
  assert.deepEqual([result.total.sent, result.total.lost, result.total.unfinished], [50, 0, 4]);
  const verdict = "PASS: 4 were unfinished, 46 of 50 requests got the correct reply exactly once.";
  assert.deepEqual([result.passed, result.verdict], [true, verdict]);
  conserved(result);
});

test("three time-outs after the end of the run: all tries, then lost", async () => {
  const late = new TimedOut("any", "no reply");
  const result = await report(50, (nth, right) => (nth >= 50 ? late : right), { outstanding: 1 });
  assert.deepEqual([result.total.timedOut, result.total.lost, result.total.unfinished], [2, 1, 0]);
  assert.equal(result.verdict, "FAIL: 1 lost of 50 requests.");
});

test("request queued for longer than one timeout at the end: the run waits for its reply", async () => {
  let queued = 0;
  const late = new TimedOut("any", "no reply");
  const result = await report(
    50,
    (nth, right) => {
      if (nth < 50) return right;
      queued += 1;
      block(OPTIONS.timeout + 5); // Past one timeout of the run.
      return queued < 3 ? late : right;
    },
    { outstanding: 1 },
  );
  assert.deepEqual([result.total.timedOut, result.total.lost, result.total.unfinished], [2, 0, 0]);
});

test("time-out in the drain: tried again", async () => {
  const late = new TimedOut("any", "no reply");
  const result = await report(50, (nth, right) => (nth === 50 ? late : right));
  assert.deepEqual([result.total.timedOut, result.total.lost], [1, 0]);
  conserved(result);
});

test("refusals only: the run passes, unless nothing was answered", async () => {
  const no = new ServiceFailed("any", 503, "busy");
  const some = await report(50, (nth, right) => (nth % 2 ? no : right));
  assert.deepEqual([some.passed, some.total.refused], [true, 25]);
  const verdict = "PASS: 25 were refused, 25 of 50 requests got the correct reply exactly once.";
  assert.equal(some.verdict, verdict);
  const all = await report(50, () => no);
  assert.deepEqual([all.passed, all.verdict], [false, "FAIL: no request was answered."]);
  assert.equal(all.total.latencyMs, null);
});

test("fixed rate, pause: the pause counts for each request that it delayed", async () => {
  const { total } = await report(
    6,
    (nth, right) => {
      if (nth === 1) block(60);
      return right;
    },
    { rate: 100, outstanding: 1 },
  );
  // Due after 0, 10 … 50 ms, answered after 60 ms. In a closed loop, only the first would be slow.
  const { p50, max } = total.latencyMs ?? assert.fail();
  assert.ok(max >= 60 && p50 >= 29, `p50 ${p50} max ${max}`);
});

test("fixed rate, outstanding limit reached: notStarted counts the missing requests", async () => {
  const stopped = (nth: number, right: Answer) => {
    if (nth === 2) block(20);
    return right;
  };
  assert.ok((await report(2, stopped, { rate: 1000, outstanding: 1 })).notStarted >= 19);
  assert.equal((await report(2, stopped, { outstanding: 1 })).notStarted, 0);
});

/** Blocks the event loop, like a stopped process. */
function block(ms: number) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
