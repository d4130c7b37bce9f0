import assert from "node:assert/strict";
import { test } from "node:test";
import { Closed, NoBroker, TimedOut } from "../client.ts";
import { type Answer, FakeClient } from "./fake-client.testing.ts";
import { whyNotReady } from "./ready.ts";

const BROKER = "tcp://broker:5555";
const code = (digits: string) => [Buffer.from(digits)];

/** Returns the problem, if any, and the sentences reported during the wait. */
async function check(answer: (service: string) => Answer, times = { waitMs: 5000, everyMs: 1 }) {
  const reported: string[] = [];
  const report = (sentence: string) => reported.push(sentence);
  const client = new FakeClient((management, [name]) => {
    assert.equal(management, "mmi.service");
    return answer(String(name));
  });
  const stop = new AbortController();
  const services = ["echo", "db"] as const;
  const sentence = await whyNotReady(client, BROKER, [...services], report, stop.signal, times);
  return { sentence, reported };
}

test("each service has a worker: ready", async () => {
  assert.deepEqual(await check(() => code("200")), { sentence: null, reported: [] });
});

test("broker without mmi.service: ready", async () => {
  assert.equal((await check(() => code("501"))).sentence, null);
});

test("NoBroker: no broker, with its reason and how to start one", async () => {
  const reason = "no broker answers at tcp://broker:5555 (ENOTFOUND)";
  const { sentence } = await check(() => new NoBroker("", reason));
  assert.equal(
    sentence,
    `${reason}: start one with "npm run broker", or choose another with --broker`,
  );
});

test("broker without 8/MMI, which answers nothing: ready, with a note", async () => {
  const { sentence, reported } = await check(() => new TimedOut("", ""));
  const note = `the broker at ${BROKER} does not answer mmi.service: the run starts unchecked`;
  assert.deepEqual([sentence, reported], [null, [note]]);
});

test("any other error: rejects", async () => {
  await assert.rejects(
    check(() => new Closed("", "")),
    Closed,
  );
});

test("worker still starts: waits and reports that once", async () => {
  let checks = 0;
  const { sentence, reported } = await check((name) =>
    name === "db" && ++checks < 4 ? code("404") : code("200"),
  );
  assert.deepEqual([sentence, reported, checks], [null, ["waiting for a worker of db"], 4]);
});

test("worker does not start: named, with how to start one", async () => {
  const answer = (name: string) => code(name === "db" ? "404" : "200");
  const { sentence } = await check(answer, { waitMs: 10, everyMs: 1 });
  assert.equal(
    sentence,
    'no worker of db registered within 0.01 s: start one with "npm run db", ' +
      "or choose other services with --mix",
  );
});

test("service of the user without a worker: named", async () => {
  const stop = new AbortController();
  const times = { waitMs: 10, everyMs: 1 };
  const client = new FakeClient(() => code("404"));
  assert.equal(
    await whyNotReady(client, BROKER, ["resize"], () => {}, stop.signal, times),
    "no worker of resize registered within 0.01 s: start one, or choose another service with --service",
  );
});

test("signal: ends the wait", async () => {
  const stop = new AbortController();
  const client = new FakeClient(() => code("404"));
  const report = () => stop.abort();
  assert.equal(
    await whyNotReady(client, BROKER, ["db"], report, stop.signal),
    "stopped before the run started",
  );
});
