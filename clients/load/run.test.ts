import assert from "node:assert/strict";
import { test } from "node:test";
import { ServiceFailed, TimedOut } from "../client.ts";
import { type Answer, FakeClient, workingServices } from "./fake-client.testing.ts";
import type { Options } from "./options.ts";
import { makeReport } from "./report.ts";
import { run } from "./run.ts";
import { Tally } from "./tally.ts";
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
  mix: MIX,
  outstanding: 4,
  rate: null,
  timeout: 20,
  every: 2,
  json: true,
};

/** The report of a run that is stopped after so many askings. */
async function report(
  askings: number,
  answer: (asking: number, right: Answer, client: FakeClient) => Answer,
  options: Partial<Options> = {},
) {
  const services = workingServices();
  const stop = new AbortController();
  let asking = 0;
  const client = new FakeClient((service, body) => {
    asking++;
    if (asking === askings) stop.abort();
    return answer(asking, services(service, body), client);
  });
  const all = { ...OPTIONS, ...options };
  const tally = new Tally(all.mix.keys(), performance.now());
  return makeReport(all, await run(client, all, tally, stop.signal), tally, client);
}

const conserved = ({ total }: Awaited<ReturnType<typeof report>>) =>
  assert.equal(total.sent, total.answered + total.refused + total.wrong + total.lost);

test("services that work: each request answered, and the run passed", async () => {
  const result = await report(300, (_, right) => right);
  const { total, services, latencyHistogram } = result;
  assert.ok(result.passed);
  assert.equal(result.verdict, "Passed: 300 of 300 requests had their right reply, once.");
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

test("each column counts what it is for, and the run failed", async () => {
  const faults = new Map<number, Answer>([
    [5, [Buffer.from("of another request")]],
    [7, new ServiceFailed("any", 500, "out of order")],
    [9, new TimedOut("any", "no reply")],
    [13, "silence"],
  ]);
  const result = await report(100, (asking, right, client) => {
    if (asking === 20) client.unmatchedReplies.duplicate += 2;
    if (asking === 30) client.unmatchedReplies.late += 1;
    return faults.get(asking) ?? right;
  });
  const { latencyMs, ...total } = result.total;
  assert.deepEqual(total, {
    sent: 99, // 100 askings, one of them for the second time.
    answered: 96,
    refused: 1,
    timedOut: 1,
    lost: 1,
    duplicated: 2,
    wrong: 1,
  });
  conserved(result);
  assert.equal(result.lateReplies, 1);
  assert.deepEqual(
    result.examples.map(({ outcome }) => outcome),
    ["wrong", "refused", "lost"],
  );
  assert.equal(result.passed, false);
  assert.equal(result.verdict, "Failed: 1 lost, 2 duplicated, 1 wrong of 99 requests.");
});

test("what is outstanding at the end of the drain is lost", async () => {
  const result = await report(50, (asking, right) => (asking >= 47 ? "silence" : right));
  assert.deepEqual([result.total.sent, result.total.lost], [50, 4]);
  conserved(result);
});

test("a request that times out in the drain is asked again", async () => {
  const late = new TimedOut("any", "no reply");
  const result = await report(50, (asking, right) => (asking === 50 ? late : right));
  assert.deepEqual([result.total.timedOut, result.total.lost], [1, 0]);
  conserved(result);
});

test("refusals alone do not fail a run, unless nothing was answered", async () => {
  const no = new ServiceFailed("any", 503, "busy");
  const some = await report(50, (asking, right) => (asking % 2 ? no : right));
  assert.deepEqual([some.passed, some.total.refused], [true, 25]);
  const verdict = "Passed: 25 were refused, 25 of 50 requests had their right reply, once.";
  assert.equal(some.verdict, verdict);
  const all = await report(50, () => no);
  assert.deepEqual([all.passed, all.verdict], [false, "Failed: no request was answered."]);
  assert.equal(all.total.latencyMs, null);
});

test("with a rate, a pause counts for each request that it held up", async () => {
  const { total } = await report(
    6,
    (asking, right) => {
      if (asking === 1) block(60);
      return right;
    },
    { rate: 100, outstanding: 1 },
  );
  // Due after 0, 10 … 50 ms and answered after 60; to a closed loop, all but the first look quick.
  const { p50, max } = total.latencyMs ?? assert.fail();
  assert.ok(max >= 60 && p50 >= 29, `p50 ${p50} max ${max}`);
});

test("what a rate wanted and too many outstanding held back is said", async () => {
  const stopped = (asking: number, right: Answer) => {
    if (asking === 2) block(20);
    return right;
  };
  assert.ok((await report(2, stopped, { rate: 1000, outstanding: 1 })).notStarted >= 19);
  assert.equal((await report(2, stopped, { outstanding: 1 })).notStarted, 0);
});

/** As a process that is stopped. */
function block(ms: number) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
