// 18/MDP, clients and workers: no empty frame before the header, and replies in parts.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { Request } from "zeromq";
import { BrokerUnderTest, echo } from "./broker-under-test.ts";
import { RawPeer, uniqueName, unservedName, V02 } from "./raw-peer.ts";

const broker = await BrokerUnderTest.start();
after(() => broker.stop());

test("MDP2-B-03 request and reply: the frames of REQUEST and FINAL", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client(V02);
  await client.sends("MDPC02", "\x01", service, "hello", "", "there");
  const [header, command, address = "", delimiter, ...body] = await worker.next();
  assert.deepEqual([header, command, delimiter], ["MDPW02", "\x02", ""]);
  assert.deepEqual(body, ["hello", "", "there"]);
  await worker.sends("MDPW02", "\x04", address, "", "world", "", "here");
  await client.receives("MDPC02", "\x03", service, "world", "", "here");
});

test("MDP2-B-05 twenty PARTIALs: each is sent on at once, in order, then FINAL", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client(V02);
  await client.sends("MDPC02", "\x01", service, "count");
  const address = await worker.receivesRequest("count");
  for (let nth = 0; nth < 20; nth += 1) {
    await worker.sends("MDPW02", "\x03", address, "", `${nth}`, "", "part");
    await client.receives("MDPC02", "\x02", service, `${nth}`, "", "part");
  }
  await worker.sends("MDPW02", "\x04", address, "", "end");
  await client.receives("MDPC02", "\x03", service, "end");
  await client.receivesNothing();
});

test("MDP2-B-05 a thousand PARTIALs at once: in order", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client(V02);
  await client.sends("MDPC02", "\x01", service, "count");
  const address = await worker.receivesRequest("count");
  for (let nth = 0; nth < 1000; nth += 1) {
    await worker.sends("MDPW02", "\x03", address, "", `${nth}`);
  }
  await worker.sends("MDPW02", "\x04", address, "", "end");
  for (let nth = 0; nth < 1000; nth += 1) {
    await client.receives("MDPC02", "\x02", service, `${nth}`);
  }
  await client.receives("MDPC02", "\x03", service, "end");
});

test("MDP2-B-06 parts of empty frames, any bytes and 1 MiB: unchanged", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client(V02);
  await client.sends("MDPC02", "\x01", service, "");
  const address = await worker.receivesRequest("");
  for (const body of [[""], ["", "", ""], ["\0\xff"], [randomBytes(2 ** 20)]]) {
    await worker.sends("MDPW02", "\x03", address, "", ...body);
    await client.receives("MDPC02", "\x02", service, ...body);
  }
  await worker.sends("MDPW02", "\x04", address, "", "");
  await client.receives("MDPC02", "\x03", service, "");
});

test("MDP2-B-07 REQUEST for a service without workers: delivered to the first worker", async () => {
  const service = uniqueName();
  using client = broker.client(V02);
  await client.sends("MDPC02", "\x01", service, "early");
  await client.receivesNothing();
  using worker = await broker.newWorker(service, V02);
  await worker.sendsReply(await worker.receivesRequest("early"), "late");
  await client.receives("MDPC02", "\x03", service, "late");
});

for (const [what, command] of [
  ["PARTIAL", "\x02"],
  ["FINAL", "\x03"],
] as const) {
  test(`MDP2-B-09 ${what} from a client: dropped`, async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service, V02);
    using client = broker.client(V02);
    await client.sends("MDPC02", command, service, "body");
    await client.receivesNothing();
    await worker.receivesNothing();
    await echo(client, worker, service);
  });
}

test("MDP2-B-08 PARTIAL or FINAL after FINAL: dropped, DISCONNECT", async () => {
  const service = uniqueName();
  for (const more of ["\x03", "\x04"]) {
    using worker = await broker.registeredWorker(service, V02);
    using client = broker.client(V02);
    await client.sends("MDPC02", "\x01", service, "?");
    const address = await worker.receivesRequest("?");
    await worker.sends("MDPW02", "\x04", address, "", "final");
    await worker.sends("MDPW02", more, address, "", "more");
    await worker.receives("MDPW02", "\x06");
    await client.receives("MDPC02", "\x03", service, "final");
    await client.receivesNothing();
  }
});

test("MDP2-B-11 two requests, one worker: the second after the FINAL of the first", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client(V02);
  await client.sends("MDPC02", "\x01", service, "1");
  await client.sends("MDPC02", "\x01", service, "2");
  const address = await worker.receivesRequest("1");
  await worker.sends("MDPW02", "\x03", address, "", "part");
  await worker.receivesNothing();
  await client.receives("MDPC02", "\x02", service, "part");
  await worker.sendsReply(address, "one");
  await worker.sendsReply(await worker.receivesRequest("2"), "two");
  await client.receives("MDPC02", "\x03", service, "one");
  await client.receives("MDPC02", "\x03", service, "two");
});

for (const [name, ...frames] of [
  ["REQUEST", "\x02", "client", "", "body"],
  ["PARTIAL", "\x03", "client", "", "body"],
  ["FINAL", "\x04", "client", "", "body"],
  ["HEARTBEAT", "\x05"],
] as const) {
  test(`MDP2-B-15 ${name} before READY: DISCONNECT`, async () => {
    using unregistered = new RawPeer(broker.endpoint, V02);
    await unregistered.sends("MDPW02", ...frames);
    await unregistered.receives("MDPW02", "\x06");
    await unregistered.receivesNothing();
  });

  if (name === "HEARTBEAT") continue;
  test(`MDP2-B-16 ${name} from an idle worker: DISCONNECT, removed`, async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service, V02);
    await worker.sends("MDPW02", ...frames);
    await worker.receives("MDPW02", "\x06");
    await worker.findsService(service, "404");
  });
}

test("MDP2-B-12 READY: no response", async () => {
  using worker = await broker.newWorker(uniqueName(), V02);
  await worker.receivesNothing();
});

test("MDP2-B-14 second READY: DISCONNECT, removed", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  await worker.sends("MDPW02", "\x01", service);
  await worker.receives("MDPW02", "\x06");
  await worker.findsService(service, "404");
});

test("MDP2-B-13 DISCONNECT before READY and after: no response, removed", async () => {
  const service = uniqueName();
  using unregistered = new RawPeer(broker.endpoint, V02);
  await unregistered.sends("MDPW02", "\x06");
  await unregistered.receivesNothing();
  using worker = await broker.registeredWorker(service, V02);
  await worker.sends("MDPW02", "\x06");
  await worker.findsService(service, "404");
});

test("MDP2-B-01 busy worker sends DISCONNECT before its first PARTIAL: its request is redelivered", async () => {
  const service = uniqueName();
  using leaving = await broker.registeredWorker(service, V02);
  using staying = await broker.registeredWorker(service, V02);
  using client = broker.client(V02);
  await client.sends("MDPC02", "\x01", service, "job");
  await leaving.receivesRequest("job");
  await leaving.sends("MDPW02", "\x06");
  const address = await staying.receivesRequest("job");
  await staying.sends("MDPW02", "\x03", address, "", "part");
  await staying.sends("MDPW02", "\x04", address, "", "done");
  await client.receives("MDPC02", "\x02", service, "part");
  await client.receives("MDPC02", "\x03", service, "done");
});

test("MDP2-B-19 PARTIAL to a client that waits for none: dropped, the request is redelivered", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using bystander = broker.client(V02);
  await bystander.sends("MDPC02", "\x01", service, "?");
  const elsewhere = await worker.receivesRequest("?");
  await worker.sendsReply(elsewhere, "!");
  await bystander.receives("MDPC02", "\x03", service, "!");
  using client = broker.client(V02);
  await client.sends("MDPC02", "\x01", service, "job");
  await worker.receivesRequest("job");
  await worker.sends("MDPW02", "\x03", elsewhere, "", "forged");
  await worker.receives("MDPW02", "\x06");
  await bystander.receivesNothing();
  await broker.redelivers(client, service, "job");
});

for (const [what, ...envelope] of [
  ["an empty frame, as a REQ socket sends it", ""],
  ["an envelope and its empty frame", "proxy", "7", ""],
  ["a proxy's address alone", "proxy"],
  ["two addresses", "proxy", "another"],
] as [string, ...string[]][]) {
  test(`MDP2-B-04 ${what} before MDPC02: goes back before PARTIAL and FINAL`, async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service, V02);
    using client = broker.client(V02);
    await client.sends(...envelope, "MDPC02", "\x01", service, "hello");
    const address = await worker.receivesRequest("hello");
    await worker.sends("MDPW02", "\x03", address, "", "part");
    await worker.sends("MDPW02", "\x04", address, "", "world");
    await client.receives(...envelope, "MDPC02", "\x02", service, "part");
    await client.receives(...envelope, "MDPC02", "\x03", service, "world");
    await client.sends(...envelope, "MDPC02", "\x01", "mmi.service", unservedName());
    await client.receives(...envelope, "MDPC02", "\x03", "mmi.service", "404");
  });
}

test("MDP2-B-04 REQ socket sends MDPC02: gets FINAL", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = new RawPeer(broker.endpoint, V02, new Request());
  for (const nth of ["1", "2"]) {
    await client.sends("MDPC02", "\x01", service, nth);
    await worker.sendsReply(await worker.receivesRequest(nth), nth, nth);
    await client.receives("MDPC02", "\x03", service, nth, nth);
  }
});

test("MMI-07 management request in 0.2: a FINAL", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client(V02);
  for (const [name, asked, ...answer] of [
    ["mmi.service", service, "200"],
    ["mmi.service", unservedName(), "404"],
    ["mmi.unknown", service, "501"],
  ] as const) {
    await client.sends("MDPC02", "\x01", name, asked);
    await client.receives("MDPC02", "\x03", name, ...answer);
  }
  await worker.receivesNothing();
});

test("X-CREDIT two streams of one worker: each client gets its own parts", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02, "2");
  using one = broker.client(V02);
  using two = broker.client(V02);
  await one.sends("MDPC02", "\x01", service, "1");
  const first = await worker.receivesRequest("1");
  await two.sends("MDPC02", "\x01", service, "2");
  const second = await worker.receivesRequest("2");
  assert.deepEqual([first.length, second.length], [16, 16]);
  for (const part of ["a", "b", "c"]) {
    await worker.sends("MDPW02", "\x03", first, "", `1${part}`);
    await worker.sends("MDPW02", "\x03", second, "", `2${part}`);
  }
  await worker.sends("MDPW02", "\x04", second, "", "2!");
  await worker.sends("MDPW02", "\x04", first, "", "1!");
  for (const [nth, client] of [
    ["1", one],
    ["2", two],
  ] as const) {
    for (const part of ["a", "b", "c"]) {
      await client.receives("MDPC02", "\x02", service, nth + part);
    }
    await client.receives("MDPC02", "\x03", service, `${nth}!`);
  }
});

test("X-STATS end of the run: one broker process, counters add up, nothing left over", () =>
  broker.endsClean());
