// The text dialect, an extension: the frames of MDP 0.1 with ASCII words as commands, as in the article
// that this project started from. Its clients send MDP 0.1.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { BrokerUnderTest, echo } from "./broker-under-test.ts";
import { RawPeer, TEXT, uniqueName } from "./raw-peer.ts";

const broker = await BrokerUnderTest.start();
after(() => broker.stop());

test("X-TEXT READY, REQUEST and REPLY: commands as words", async () => {
  const service = uniqueName();
  using worker = new RawPeer(broker.endpoint, TEXT);
  await worker.sends("", "MDPW01", "READY", service);
  await worker.findsService(service, "200");
  using client = broker.client();
  await client.sends("", "MDPC01", service, "hello", "");
  const frames = await worker.next();
  assert.deepEqual(frames.toSpliced(3, 1), ["", "MDPW01", "REQUEST", "", "hello", ""]);
  await worker.sends("", "MDPW01", "REPLY", frames[3] ?? "", "", "world", "");
  await client.receives("", "MDPC01", service, "world", "");
});

test("X-TEXT READY: no response", async () => {
  using worker = new RawPeer(broker.endpoint, TEXT);
  await worker.sends("", "MDPW01", "READY", uniqueName());
  await worker.receivesNothing();
});

for (const [name, ...frames] of [
  ["REQUEST", "client", "", "body"],
  ["REPLY", "client", "", "body"],
  ["HEARTBEAT"],
] as const) {
  test(`X-TEXT ${name} before READY: DISCONNECT`, async () => {
    using unregistered = new RawPeer(broker.endpoint, TEXT);
    await unregistered.sends("", "MDPW01", name, ...frames);
    await unregistered.receives("", "MDPW01", "DISCONNECT");
    await unregistered.receivesNothing();
  });
}

test("X-TEXT second READY: DISCONNECT, removed", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, TEXT);
  await worker.sends("", "MDPW01", "READY", service);
  await worker.receives("", "MDPW01", "DISCONNECT");
  await worker.findsService(service, "404");
});

test("X-TEXT busy worker sends DISCONNECT: sent nothing more, its request is redelivered", async () => {
  const service = uniqueName();
  using leaving = await broker.registeredWorker(service, TEXT);
  using staying = await broker.registeredWorker(service, TEXT);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "job");
  await leaving.receivesRequest("job");
  await leaving.sends("", "MDPW01", "DISCONNECT");
  await staying.sendsReply(await staying.receivesRequest("job"), "done");
  await client.receives("", "MDPC01", service, "done");
  await leaving.receivesNothing();
});

test("X-TEXT HEARTBEAT: no response", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, TEXT);
  await worker.sends("", "MDPW01", "HEARTBEAT");
  await worker.findsService(service, "200");
});

test("X-TEXT READY with a credit of 2: two requests in flight", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, TEXT, "2");
  using client = broker.client();
  await client.sends("", "MDPC01", service, "1");
  await client.sends("", "MDPC01", service, "2");
  const [one, two] = [await worker.receivesRequest("1"), await worker.receivesRequest("2")];
  await worker.sendsReply(two, "two");
  await client.receives("", "MDPC01", service, "two");
  await worker.sendsReply(one, "one");
  await client.receives("", "MDPC01", service, "one");
});

test("X-TEXT READY for a name that starts with mmi.: DISCONNECT", async () => {
  using worker = new RawPeer(broker.endpoint, TEXT);
  await worker.sends("", "MDPW01", "READY", "mmi.echo");
  await worker.receives("", "MDPW01", "DISCONNECT");
});

test("X-TEXT REPLY without the empty frame: delivered", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, TEXT);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "?");
  await worker.sends("", "MDPW01", "REPLY", await worker.receivesRequest("?"), "as it comes");
  await client.receives("", "MDPC01", service, "as it comes");
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
  test(`X-TEXT command "${word.replaceAll(/[^ -~]/g, "?")}": no READY, no response`, async () => {
    const service = uniqueName();
    using unregistered = new RawPeer(broker.endpoint, TEXT);
    await unregistered.sends("", "MDPW01", word, service);
    await unregistered.findsService(service, "404");
  });
}

test("X-TEXT worker of the text dialect and one of bytes: serve one service in turns", async () => {
  const service = uniqueName();
  using words = await broker.registeredWorker(service, TEXT);
  using bytes = await broker.registeredWorker(service);
  using client = broker.client();
  for (const worker of [words, bytes, words, bytes]) await echo(client, worker, service);
});

test("X-STATS end of the run: one broker process, counters add up, nothing left over", () =>
  broker.endsClean());
