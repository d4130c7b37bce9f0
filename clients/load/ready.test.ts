import assert from "node:assert/strict";
import { test } from "node:test";
import { Closed, NoBroker, TimedOut } from "../client.ts";
import { type Answer, FakeClient } from "./fake-client.testing.ts";
import { missing } from "./ready.ts";

const BROKER = "tcp://broker:5555";
const code = (digits: string) => [Buffer.from(digits)];

/** What is missing when the broker answers so, and what the user was told meanwhile. */
async function lack(answer: (service: string) => Answer, patience = { waitMs: 5000, everyMs: 1 }) {
  const said: string[] = [];
  const say = (sentence: string) => said.push(sentence);
  const client = new FakeClient((management, [name]) => {
    assert.equal(management, "mmi.service");
    return answer(String(name));
  });
  const stop = new AbortController();
  const services = ["echo", "db"] as const;
  const sentence = await missing(client, BROKER, [...services], say, stop.signal, patience);
  return { sentence, said };
}

test("nothing is missing if each service has a worker", async () => {
  assert.deepEqual(await lack(() => code("200")), { sentence: null, said: [] });
});

test("a broker without mmi.service is taken at its word that it is one", async () => {
  assert.equal((await lack(() => code("501"))).sentence, null);
});

for (const error of [new NoBroker("", ""), new TimedOut("", "")]) {
  test(`${error.name}: no broker, and how to get one`, async () => {
    const { sentence } = await lack(() => error);
    assert.equal(
      sentence,
      'no broker answers at tcp://broker:5555: start one with "npm run broker", ' +
        "or name another with --broker",
    );
  });
}

test("any other error is not taken for a missing broker", async () => {
  await assert.rejects(
    lack(() => new Closed("", "")),
    Closed,
  );
});

test("a worker that is still starting is waited for, and said so once", async () => {
  let looks = 0;
  const { sentence, said } = await lack((name) =>
    name === "db" && ++looks < 4 ? code("404") : code("200"),
  );
  assert.deepEqual([sentence, said, looks], [null, ["waiting for a worker of db"], 4]);
});

test("a worker that does not come is named, with how to start one", async () => {
  const answer = (name: string) => code(name === "db" ? "404" : "200");
  const { sentence } = await lack(answer, { waitMs: 10, everyMs: 1 });
  assert.equal(
    sentence,
    'no worker of db came within 0.01 s: start one with "npm run db", ' +
      "or choose other services with --mix",
  );
});

test("a signal ends the waiting", async () => {
  const stop = new AbortController();
  const client = new FakeClient(() => code("404"));
  const say = () => stop.abort();
  assert.equal(
    await missing(client, BROKER, ["db"], say, stop.signal),
    "stopped before the run began",
  );
});
