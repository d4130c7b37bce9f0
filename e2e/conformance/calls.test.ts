// mmi.call, an extension: a status for each request. A broker without it returns 501.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { BrokerUnderTest, echo } from "./broker-under-test.ts";
import { DIALECTS, type RawPeer, uniqueName, unservedName } from "./raw-peer.ts";

const QUEUE_MAX = 20;
const broker = await BrokerUnderTest.start(2500, {
  MDP_QUEUE_MAX: String(QUEUE_MAX),
  MDP_DELIVERIES_MAX: "3",
});
after(() => broker.stop());

test("X-CALL request answered: 200, then all frames of the reply", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.call", service, "", "hello", "", "there");
  await worker.sendsReply(await worker.receivesRequest("hello", "", "there"), "world", "", "here");
  await client.receives("", "MDPC01", "mmi.call", "200", "world", "", "here");
});

test("X-CALL request with an envelope: the envelope goes back before the status", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("a", "b", "", "MDPC01", "mmi.call", service, "", "hello");
  await worker.sendsReply(await worker.receivesRequest("hello"), "world");
  await client.receives("a", "b", "", "MDPC01", "mmi.call", "200", "world");
});

for (const dialect of DIALECTS) {
  test(`X-CALL worker of dialect ${dialect.name}, with and without credit: serves calls`, async () => {
    for (const credit of [[], ["4"]]) {
      const service = uniqueName();
      using worker = await broker.registeredWorker(service, dialect, ...credit);
      using client = broker.client();
      await client.sends("", "MDPC01", "mmi.call", service, "", "hello");
      await worker.sendsReply(await worker.receivesRequest("hello"), "world");
      await client.receives("", "MDPC01", "mmi.call", "200", "world");
    }
  });
}

test("X-CALL no worker within the ttl: 404", async () => {
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.call", unservedName(), '{"ttl":50}', "hello");
  await refused(client, "404");
  await client.receivesNothing();
});

test("X-CALL ttl over in the queue: 408", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "long");
  const address = await worker.receivesRequest("long");
  await client.sends("", "MDPC01", "mmi.call", service, '{"ttl":50}', "hello");
  await refused(client, "408");
  await worker.sendsReply(address, "done");
  await client.receives("", "MDPC01", service, "done");
  await worker.receivesNothing();
});

test("X-CALL ttl over in flight: 408, the late reply reaches no client", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.call", service, '{"ttl":50}', "hello");
  const address = await worker.receivesRequest("hello");
  await refused(client, "408");
  await worker.sendsReply(address, "late");
  await worker.receivesNothing();
  await client.receivesNothing();
  await echo(client, worker, service);
});

test("X-CALL ttl over in flight: the worker gets its next request after its late reply only", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.call", service, '{"ttl":50}', "1");
  const address = await worker.receivesRequest("1");
  await refused(client, "408");
  await client.sends("", "MDPC01", service, "2");
  await client.receivesNothing();
  await worker.receivesNothing();
  await worker.sendsReply(address, "late");
  await worker.sendsReply(await worker.receivesRequest("2"), "two");
  await client.receives("", "MDPC01", service, "two");
});

for (const code of ["400", "404", "409", "500", "503"]) {
  test(`X-CALL error reply with code ${code}: that status, then all frames of the error reply`, async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service);
    using client = broker.client();
    await client.sends("", "MDPC01", "mmi.call", service, "", "hello");
    await worker.sendsReply(await worker.receivesRequest("hello"), "it is so", "mmi.error", code);
    await client.receives("", "MDPC01", "mmi.call", code, "it is so", "mmi.error", code);
    await client.sends("", "MDPC01", service, "hello");
    await worker.sendsReply(await worker.receivesRequest("hello"), "it is so", "mmi.error", code);
    await client.receives("", "MDPC01", service, "it is so", "mmi.error", code);
  });
}

test("X-CALL queue of the service full: 429", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has bounds of its own");
  const service = uniqueName();
  using client = broker.client();
  for (let nth = 0; nth < QUEUE_MAX; nth += 1) await client.sends("", "MDPC01", service, "plain");
  await client.sends("", "MDPC01", "mmi.call", service, "", "one too many");
  await refused(client, "429");
});

test("MDP1-B-15 queue of the service full: a plain client receives nothing", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has bounds of its own");
  const service = uniqueName();
  using client = broker.client();
  for (let nth = 0; nth < QUEUE_MAX; nth += 1) await client.sends("", "MDPC01", service, "plain");
  await client.sends("", "MDPC01", service, "one too many");
  await client.receivesNothing();
});

test("X-CALL three workers die with the request: 502, and it is not delivered again", async () => {
  const service = uniqueName();
  using client = broker.client();
  const victims: RawPeer[] = [];
  for (let nth = 0; nth < 3; nth += 1)
    victims.push(await broker.registeredWorker(service, undefined, "1"));
  await client.sends("", "MDPC01", "mmi.call", service, "", "poison");
  for (const victim of victims) {
    await victim.receivesRequest("poison");
    victim[Symbol.dispose]();
  }
  await broker.untilService(service, "404");
  await refused(client, "502");
  using survivor = await broker.registeredWorker(service);
  await survivor.receivesNothing();
  await echo(client, survivor, service);
});

for (const [what, ...body] of [
  ["nothing but an empty service", ""],
  ["an empty service", "", "", "body"],
  ["a service name of 256 bytes", "x".repeat(256), "", "body"],
  ["no options", "service"],
  ["no body", "service", ""],
  ["options, but no body", "service", '{"ttl":50}'],
  ["a service of the broker's own", "mmi.service", "", "echo"],
  ["itself", "mmi.call", "", "echo", "", "body"],
  ...[
    "{",
    "nil",
    "null",
    "[]",
    "1",
    '"ttl"',
    " ",
    "\xff",
    '{"ttl":-1}',
    '{"ttl":0}',
    '{"ttl":1.5}',
    '{"ttl":1e9}',
    '{"ttl":"50"}',
    '{"ttl":null}',
    '{"ttl":[50]}',
    '{"tttl":50}',
    '{"id":""}',
    '{"id":"too short"}',
    `{"id":"${"x".repeat(129)}"}`,
    '{"id":1234567890123456}',
    '{"id":null}',
    '{"id":["0123456789abcdef"]}',
    '{"__proto__":{"ttl":50}}',
    '{"constructor":{"ttl":50}}',
    '{"toString":1}',
    "[".repeat(500) + "]".repeat(500),
    `${'{"a":'.repeat(150)}1${"}".repeat(150)}`,
    " ".repeat(1025),
    `{"id":"${"x".repeat(2 ** 20)}"}`,
    "[".repeat(2 ** 18),
  ].map((options) => [`the options ${options.slice(0, 40)}`, "service", options, "body"]),
] as [string, ...string[]][]) {
  test(`X-CALL ${printable(what)}: 400 and a reason`, async () => {
    using client = broker.client();
    await client.sends("7", "", "MDPC01", "mmi.call", ...body);
    const [envelope, empty, header, name, status, sentence = "", ...more] = await client.next();
    assert.deepEqual(
      [envelope, empty, header, name, status],
      ["7", "", "MDPC01", "mmi.call", "400"],
    );
    assert.ok(sentence.length > 5 && sentence.length < 2000, sentence);
    assert.deepEqual(more, []);
    await client.receivesNothing();
    await broker.serves();
  });
}

/** Returns the options of a call with a new id, and more options. */
const withId = (more = {}) => {
  const id = randomBytes(16).toString("hex");
  return { id, options: JSON.stringify({ id, ...more }) };
};

test("X-CALL mmi.cancel by the caller: 410 for the call, 200, and 404 for any other client", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, undefined, "4");
  using client = broker.client();
  using stranger = broker.client();
  const { id, options } = withId();
  await client.sends("", "MDPC01", "mmi.call", service, options, "slow");
  await worker.receivesRequest("slow");
  await stranger.sends("", "MDPC01", "mmi.cancel", id);
  await stranger.receives("", "MDPC01", "mmi.cancel", "404");
  await client.sends("", "MDPC01", "mmi.cancel", id);
  await refused(client, "410");
  await client.receives("", "MDPC01", "mmi.cancel", "200");
  await client.sends("", "MDPC01", "mmi.cancel", "no id");
  await client.receives("", "MDPC01", "mmi.cancel", "400");
});

test("X-CALL wait 0 without a worker: 404 at once", async () => {
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.call", unservedName(), '{"wait":0}', "hello");
  await refused(client, "404");
});

test("X-CALL fifth caller of a call: 409, and the fourth gets the reply", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, undefined, "4");
  const { options } = withId();
  const ask = ["", "MDPC01", "mmi.call", service, options, "slow"];
  using first = broker.client();
  await first.sends(...ask);
  const request = await worker.receivesRequest("slow");
  using second = broker.client();
  using third = broker.client();
  using fourth = broker.client();
  using fifth = broker.client();
  for (const caller of [second, third, fourth]) {
    await caller.sends(...ask);
    await caller.sends("", "MDPC01", "mmi.service", "mmi.call");
    await caller.receives("", "MDPC01", "mmi.service", "200");
  }
  await fifth.sends(...ask);
  await refused(fifth, "409");
  await worker.sendsReply(request, "done");
  await fourth.receives("", "MDPC01", "mmi.call", "200", "done");
});

for (const options of [
  "",
  "{}",
  ' { "ttl" : 5000 } ',
  '{"ttl":1e3}',
  '{"id":"0123456789abcdef","ttl":86400000}',
  `{"id":"${"\\u0000".repeat(16)}"}`,
]) {
  test(`X-CALL options ${options}: accepted`, async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service);
    using client = broker.client();
    await client.sends("", "MDPC01", "mmi.call", service, options, "hello");
    await worker.sendsReply(await worker.receivesRequest("hello"), "world");
    await client.receives("", "MDPC01", "mmi.call", "200", "world");
  });
}

test("X-CALL open call sent again: executed once, the last sender gets the reply", async () => {
  const [service, options] = [uniqueName(), named()];
  using worker = await broker.registeredWorker(service);
  using one = broker.client();
  using two = broker.client();
  await one.sends("1", "", "MDPC01", "mmi.call", service, options, "job");
  const address = await worker.receivesRequest("job");
  await one.sends("2", "", "MDPC01", "mmi.call", service, options, "job");
  await one.receivesNothing();
  await two.sends("3", "", "MDPC01", "mmi.call", service, options, "job");
  await two.receivesNothing();
  await worker.receivesNothing();
  await worker.sendsReply(address, "done");
  await two.receives("3", "", "MDPC01", "mmi.call", "200", "done");
  await one.receivesNothing();
  await worker.receivesNothing();
});

test("X-CALL queued call sent again: queued once", async () => {
  const [service, options] = [uniqueName(), named()];
  using client = broker.client();
  for (const nth of ["1", "2", "3"]) {
    await client.sends(nth, "", "MDPC01", "mmi.call", service, options, "job");
  }
  await client.receivesNothing();
  using worker = await broker.newWorker(service);
  await worker.sendsReply(await worker.receivesRequest("job"), "done");
  await client.receives("3", "", "MDPC01", "mmi.call", "200", "done");
  await worker.receivesNothing();
  await client.receivesNothing();
});

test("X-CALL settled call sent again, by any client: the same outcome", async () => {
  const [service, options] = [uniqueName(), named()];
  using worker = await broker.registeredWorker(service);
  using one = broker.client();
  using two = broker.client();
  await one.sends("", "MDPC01", "mmi.call", service, options, "job");
  await worker.sendsReply(await worker.receivesRequest("job"), "done", "", "well");
  await one.receives("", "MDPC01", "mmi.call", "200", "done", "", "well");
  for (const client of [one, two, one]) {
    await client.sends("again", "", "MDPC01", "mmi.call", service, options, "job");
    await client.receives("again", "", "MDPC01", "mmi.call", "200", "done", "", "well");
  }
  await worker.receivesNothing();
});

test("X-CALL rejected call sent again: the same status", async () => {
  const [service, options] = [uniqueName(), named({ ttl: 50 })];
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.call", service, options, "job");
  await refused(client, "404");
  using worker = await broker.registeredWorker(service);
  await client.sends("", "MDPC01", "mmi.call", service, options, "job");
  await refused(client, "404");
  await worker.receivesNothing();
});

test("X-CALL id used for a call to another service: 400", async () => {
  const [service, options] = [uniqueName(), named()];
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.call", service, options, "job");
  const address = await worker.receivesRequest("job");
  await client.sends("", "MDPC01", "mmi.call", unservedName(), options, "job");
  await refused(client, "400");
  await worker.sendsReply(address, "done");
  await client.receives("", "MDPC01", "mmi.call", "200", "done");
  await client.sends("", "MDPC01", "mmi.call", unservedName(), options, "job");
  await refused(client, "400");
});

test("X-CALL client with a call id gone: its call goes on, and it gets the reply when it returns", async () => {
  const [service, options] = [uniqueName(), named()];
  using worker = await broker.registeredWorker(service);
  {
    using gone = broker.client();
    await gone.sends("", "MDPC01", "mmi.call", service, options, "job");
    await gone.receivesNothing();
  }
  await worker.sendsReply(await worker.receivesRequest("job"), "done");
  await worker.receivesNothing();
  using back = broker.client();
  await back.sends("", "MDPC01", "mmi.call", service, options, "job");
  await back.receives("", "MDPC01", "mmi.call", "200", "done");
  await worker.receivesNothing();
});

test("X-CALL worker of a call leaves: redelivered under the same id", async () => {
  const [service, options] = [uniqueName(), named()];
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.call", service, options, "job");
  using lost = await broker.newWorker(service, undefined, "1");
  const id = await lost.receivesRequest("job");
  await lost.sendsCommand("DISCONNECT");
  await lost.receivesNothing();
  await client.sends("again", "", "MDPC01", "mmi.call", service, options, "job");
  await client.receivesNothing();
  using other = await broker.newWorker(service, undefined, "1");
  assert.equal(await other.receivesRequest("job"), id);
  await other.sendsReply(id, "done");
  await client.receives("again", "", "MDPC01", "mmi.call", "200", "done");
  await other.receivesNothing();
});

/** Asserts that a client of 0.1 receives a status and the broker's reason. */
async function refused(client: RawPeer, status: string) {
  const [empty, header, name, code, sentence = "", ...more] = await client.next();
  assert.deepEqual([empty, header, name, code], ["", "MDPC01", "mmi.call", status]);
  assert.ok(sentence.length > 5, "no sentence");
  assert.deepEqual(more, []);
}

/** The options of a call with a new id. */
function named(options: object = {}): string {
  return JSON.stringify({ ...options, id: randomBytes(16).toString("hex") });
}

function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, "?");
}

test("X-STATS end of the run: one broker process, counters add up, nothing left over", () =>
  broker.endsClean());
