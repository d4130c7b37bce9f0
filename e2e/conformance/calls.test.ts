// mmi.call, which is ours: a status for every request. A foreign broker answers 501.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { echo, Subject } from "./subject.ts";
import { DIALECTS, nobody, type Peer, someone } from "./wire.ts";

const QUEUE_MAX = 20;
const broker = await Subject.start(2500, {
  MDP_QUEUE_MAX: String(QUEUE_MAX),
  MDP_DELIVERIES_MAX: "3",
});
after(() => broker.stop());

test("Ours, mmi.call: 200 and the worker's reply, all its frames", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.call", service, "", "hello", "", "there");
  await worker.replies(await worker.isAsked("hello", "", "there"), "world", "", "here");
  await client.hears("", "MDPC01", "mmi.call", "200", "world", "", "here");
});

test("Ours, mmi.call: the envelope goes back before the status", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("a", "b", "", "MDPC01", "mmi.call", service, "", "hello");
  await worker.replies(await worker.isAsked("hello"), "world");
  await client.hears("a", "b", "", "MDPC01", "mmi.call", "200", "world");
});

for (const dialect of DIALECTS) {
  test(`Ours, mmi.call: any worker serves it, with credit or without: ${dialect.name}`, async () => {
    for (const credit of [[], ["4"]]) {
      const service = someone();
      using worker = await broker.worker(service, dialect, ...credit);
      using client = broker.client();
      await client.says("", "MDPC01", "mmi.call", service, "", "hello");
      await worker.replies(await worker.isAsked("hello"), "world");
      await client.hears("", "MDPC01", "mmi.call", "200", "world");
    }
  });
}

test("Ours, mmi.call: 404, when no worker came within the ttl", async () => {
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.call", nobody(), '{"ttl":50}', "hello");
  await refused(client, "404");
  await client.hearsNothing();
});

test("Ours, mmi.call: 408, when the ttl passed in the queue", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", service, "long");
  const address = await worker.isAsked("long");
  await client.says("", "MDPC01", "mmi.call", service, '{"ttl":50}', "hello");
  await refused(client, "408");
  await worker.replies(address, "done");
  await client.hears("", "MDPC01", service, "done");
  await worker.hearsNothing();
});

test("Ours, mmi.call: 408, when the ttl passed at a worker, whose reply comes too late for anybody", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.call", service, '{"ttl":50}', "hello");
  const address = await worker.isAsked("hello");
  await refused(client, "408");
  await worker.replies(address, "late");
  await worker.hearsNothing();
  await client.hearsNothing();
  await echo(client, worker, service);
});

test("Ours, mmi.call: a worker whose request has expired is given no other before it has answered", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.call", service, '{"ttl":50}', "1");
  const address = await worker.isAsked("1");
  await refused(client, "408");
  await client.says("", "MDPC01", service, "2");
  await client.hearsNothing();
  await worker.hearsNothing();
  await worker.replies(address, "late");
  await worker.replies(await worker.isAsked("2"), "two");
  await client.hears("", "MDPC01", service, "two");
});

for (const code of ["400", "404", "409", "500", "503"]) {
  test(`Ours, mmi.call: a service that fails with ${code} has that status, and its failure follows whole`, async () => {
    const service = someone();
    using worker = await broker.worker(service);
    using client = broker.client();
    await client.says("", "MDPC01", "mmi.call", service, "", "hello");
    await worker.replies(await worker.isAsked("hello"), "it is so", "mmi.error", code);
    await client.hears("", "MDPC01", "mmi.call", code, "it is so", "mmi.error", code);
    await client.says("", "MDPC01", service, "hello");
    await worker.replies(await worker.isAsked("hello"), "it is so", "mmi.error", code);
    await client.hears("", "MDPC01", service, "it is so", "mmi.error", code);
  });
}

test("Ours, mmi.call: 429, when the queue of its service is full", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has bounds of its own");
  const service = someone();
  using client = broker.client();
  for (let nth = 0; nth < QUEUE_MAX; nth += 1) await client.says("", "MDPC01", service, "plain");
  await client.says("", "MDPC01", "mmi.call", service, "", "one too many");
  await refused(client, "429");
  await client.says("", "MDPC01", service, "a plain one finds out by its time-out");
  await client.hearsNothing();
});

test("Ours, mmi.call: 502, when its workers were lost with it, and it is nobody's any more", async () => {
  const service = someone();
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.call", service, "", "poison");
  for (let nth = 0; nth < 3; nth += 1) {
    {
      using victim = await broker.newcomer(service, undefined, "1");
      await victim.isAsked("poison");
    }
    await broker.learns(service, "404");
  }
  await refused(client, "502");
  using survivor = await broker.worker(service);
  await survivor.hearsNothing();
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
  test(`Ours, mmi.call: 400 and a sentence for ${printable(what)}`, async () => {
    using client = broker.client();
    await client.says("7", "", "MDPC01", "mmi.call", ...body);
    const [envelope, empty, header, name, status, sentence = "", ...more] = await client.next();
    assert.deepEqual(
      [envelope, empty, header, name, status],
      ["7", "", "MDPC01", "mmi.call", "400"],
    );
    assert.ok(sentence.length > 5 && sentence.length < 2000, sentence);
    assert.deepEqual(more, []);
    await client.hearsNothing();
    await broker.serves();
  });
}

for (const options of [
  "",
  "{}",
  ' { "ttl" : 5000 } ',
  '{"ttl":1e3}',
  '{"id":"0123456789abcdef","ttl":86400000}',
  `{"id":"${"\\u0000".repeat(16)}"}`,
]) {
  test(`Ours, mmi.call: these options are taken: ${options}`, async () => {
    const service = someone();
    using worker = await broker.worker(service);
    using client = broker.client();
    await client.says("", "MDPC01", "mmi.call", service, options, "hello");
    await worker.replies(await worker.isAsked("hello"), "world");
    await client.hears("", "MDPC01", "mmi.call", "200", "world");
  });
}

test("Ours, retries: an open call that is asked again is not run again, and who asked last is answered", async () => {
  const [service, options] = [someone(), named()];
  using worker = await broker.worker(service);
  using one = broker.client();
  using two = broker.client();
  await one.says("1", "", "MDPC01", "mmi.call", service, options, "job");
  const address = await worker.isAsked("job");
  await one.says("2", "", "MDPC01", "mmi.call", service, options, "job");
  await one.hearsNothing();
  await two.says("3", "", "MDPC01", "mmi.call", service, options, "job");
  await two.hearsNothing();
  await worker.hearsNothing();
  await worker.replies(address, "done");
  await two.hears("3", "", "MDPC01", "mmi.call", "200", "done");
  await one.hearsNothing();
  await worker.hearsNothing();
});

test("Ours, retries: a queued call that is asked again is queued once", async () => {
  const [service, options] = [someone(), named()];
  using client = broker.client();
  for (const nth of ["1", "2", "3"]) {
    await client.says(nth, "", "MDPC01", "mmi.call", service, options, "job");
  }
  await client.hearsNothing();
  using worker = await broker.newcomer(service);
  await worker.replies(await worker.isAsked("job"), "done");
  await client.hears("3", "", "MDPC01", "mmi.call", "200", "done");
  await worker.hearsNothing();
  await client.hearsNothing();
});

test("Ours, retries: a call that has ended is told its outcome again, whoever asks", async () => {
  const [service, options] = [someone(), named()];
  using worker = await broker.worker(service);
  using one = broker.client();
  using two = broker.client();
  await one.says("", "MDPC01", "mmi.call", service, options, "job");
  await worker.replies(await worker.isAsked("job"), "done", "", "well");
  await one.hears("", "MDPC01", "mmi.call", "200", "done", "", "well");
  for (const client of [one, two, one]) {
    await client.says("again", "", "MDPC01", "mmi.call", service, options, "job");
    await client.hears("again", "", "MDPC01", "mmi.call", "200", "done", "", "well");
  }
  await worker.hearsNothing();
});

test("Ours, retries: a refusal is an outcome that is told again, too", async () => {
  const [service, options] = [someone(), named({ ttl: 50 })];
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.call", service, options, "job");
  await refused(client, "404");
  using worker = await broker.worker(service);
  await client.says("", "MDPC01", "mmi.call", service, options, "job");
  await refused(client, "404");
  await worker.hearsNothing();
});

test("Ours, retries: an id belongs to one service", async () => {
  const [service, options] = [someone(), named()];
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.call", service, options, "job");
  const address = await worker.isAsked("job");
  await client.says("", "MDPC01", "mmi.call", nobody(), options, "job");
  await refused(client, "400");
  await worker.replies(address, "done");
  await client.hears("", "MDPC01", "mmi.call", "200", "done");
  await client.says("", "MDPC01", "mmi.call", nobody(), options, "job");
  await refused(client, "400");
});

test("Ours, retries: a call with an id waits for its client to come back", async () => {
  const [service, options] = [someone(), named()];
  using worker = await broker.worker(service);
  {
    using gone = broker.client();
    await gone.says("", "MDPC01", "mmi.call", service, options, "job");
    await gone.hearsNothing();
  }
  await worker.replies(await worker.isAsked("job"), "done");
  await worker.hearsNothing();
  using back = broker.client();
  await back.says("", "MDPC01", "mmi.call", service, options, "job");
  await back.hears("", "MDPC01", "mmi.call", "200", "done");
  await worker.hearsNothing();
});

test("Ours, retries: a call keeps its id when its worker is lost, and is run once more", async () => {
  const [service, options] = [someone(), named()];
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.call", service, options, "job");
  using lost = await broker.newcomer(service, undefined, "1");
  const id = await lost.isAsked("job");
  await lost.commands("DISCONNECT");
  await lost.hearsNothing();
  await client.says("again", "", "MDPC01", "mmi.call", service, options, "job");
  await client.hearsNothing();
  using other = await broker.newcomer(service, undefined, "1");
  assert.equal(await other.isAsked("job"), id);
  await other.replies(id, "done");
  await client.hears("again", "", "MDPC01", "mmi.call", "200", "done");
  await other.hearsNothing();
});

/** The answer to a plain 0.1 client's call: a status, and the broker's sentence. */
async function refused(client: Peer, status: string) {
  const [empty, header, name, code, sentence = "", ...more] = await client.next();
  assert.deepEqual([empty, header, name, code], ["", "MDPC01", "mmi.call", status]);
  assert.ok(sentence.length > 5, "no sentence");
  assert.deepEqual(more, []);
}

/** The options of a call with an id of its own. */
function named(options: object = {}): string {
  return JSON.stringify({ ...options, id: randomBytes(16).toString("hex") });
}

function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, "?");
}

test("it was one broker all the while, and it has nothing left over", () => broker.endsWell());
