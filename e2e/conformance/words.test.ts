// The dialect in words: the frames of MDP/0.1 with the commands spelt out, as the blog post has them
// that this project started from. Its clients speak 0.1.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { echo, Subject } from "./subject.ts";
import { Peer, someone, WORDS } from "./wire.ts";

const broker = await Subject.start();
after(() => broker.stop());

test("Ours, words: READY, REQUEST and REPLY are said and heard in words", async () => {
  const service = someone();
  using worker = new Peer(broker.endpoint, WORDS);
  await worker.says("", "MDPW01", "READY", service);
  await worker.learns(service, "200");
  using client = broker.client();
  await client.says("", "MDPC01", service, "hello", "");
  const frames = await worker.next();
  assert.deepEqual(frames.toSpliced(3, 1), ["", "MDPW01", "REQUEST", "", "hello", ""]);
  await worker.says("", "MDPW01", "REPLY", frames[3] ?? "", "", "world", "");
  await client.hears("", "MDPC01", service, "world", "");
});

test("Ours, words: READY is not answered", async () => {
  using worker = new Peer(broker.endpoint, WORDS);
  await worker.says("", "MDPW01", "READY", someone());
  await worker.hearsNothing();
});

for (const [name, ...frames] of [
  ["REQUEST", "client", "", "body"],
  ["REPLY", "client", "", "body"],
  ["HEARTBEAT"],
] as const) {
  test(`Ours, words: ${name} before READY is answered with the word DISCONNECT`, async () => {
    using stranger = new Peer(broker.endpoint, WORDS);
    await stranger.says("", "MDPW01", name, ...frames);
    await stranger.hears("", "MDPW01", "DISCONNECT");
    await stranger.hearsNothing();
  });
}

test("Ours, words: a second READY is answered with the word DISCONNECT", async () => {
  const service = someone();
  using worker = await broker.worker(service, WORDS);
  await worker.says("", "MDPW01", "READY", service);
  await worker.hears("", "MDPW01", "DISCONNECT");
  await worker.learns(service, "404");
});

test("Ours, words: after the word DISCONNECT a worker is sent nothing, and what it had is another's", async () => {
  const service = someone();
  using leaving = await broker.worker(service, WORDS);
  using staying = await broker.worker(service, WORDS);
  using client = broker.client();
  await client.says("", "MDPC01", service, "job");
  await leaving.isAsked("job");
  await leaving.says("", "MDPW01", "DISCONNECT");
  await staying.replies(await staying.isAsked("job"), "done");
  await client.hears("", "MDPC01", service, "done");
  await leaving.hearsNothing();
});

test("Ours, words: the word HEARTBEAT of a worker is not answered", async () => {
  const service = someone();
  using worker = await broker.worker(service, WORDS);
  await worker.says("", "MDPW01", "HEARTBEAT");
  await worker.learns(service, "200");
});

test("Ours, words: READY may announce a credit", async () => {
  const service = someone();
  using worker = await broker.worker(service, WORDS, "2");
  using client = broker.client();
  await client.says("", "MDPC01", service, "1");
  await client.says("", "MDPC01", service, "2");
  const [one, two] = [await worker.isAsked("1"), await worker.isAsked("2")];
  await worker.replies(two, "two");
  await client.hears("", "MDPC01", service, "two");
  await worker.replies(one, "one");
  await client.hears("", "MDPC01", service, "one");
});

test("Ours, words: READY for a name of the broker's is answered with the word DISCONNECT", async () => {
  using worker = new Peer(broker.endpoint, WORDS);
  await worker.says("", "MDPW01", "READY", "mmi.echo");
  await worker.hears("", "MDPW01", "DISCONNECT");
});

test("Ours, words: a REPLY without the empty frame is taken as it comes", async () => {
  const service = someone();
  using worker = await broker.worker(service, WORDS);
  using client = broker.client();
  await client.says("", "MDPC01", service, "?");
  await worker.says("", "MDPW01", "REPLY", await worker.isAsked("?"), "as it comes");
  await client.hears("", "MDPC01", service, "as it comes");
});

for (const word of [
  "ready",
  "Ready",
  "READY ",
  " READY",
  "READY\0",
  "READ",
  "READYREADY",
  "\x01READY",
  "PARTIAL",
  "FINAL",
  "PURGE",
  "",
]) {
  test(`Ours, words: "${word.replaceAll(/[^ -~]/g, "?")}" is no READY, and not answered`, async () => {
    const service = someone();
    using stranger = new Peer(broker.endpoint, WORDS);
    await stranger.says("", "MDPW01", word, service);
    await stranger.learns(service, "404");
  });
}

test("Ours, words: a worker of words and one of bytes serve the same service in turn", async () => {
  const service = someone();
  using words = await broker.worker(service, WORDS);
  using bytes = await broker.worker(service);
  using client = broker.client();
  for (const worker of [words, bytes, words, bytes]) await echo(client, worker, service);
});

test("it was one broker all the while, and it has nothing left over", () => broker.endsWell());
