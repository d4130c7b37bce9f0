// 18/MDP, both sides: no empty frame before the header, and a reply in parts.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { Request } from "zeromq";
import { echo, Subject } from "./subject.ts";
import { nobody, Peer, someone, V02 } from "./wire.ts";

const broker = await Subject.start();
after(() => broker.stop());

test("18/MDP, MDP/Client: a REQUEST is MDPC02, 01, service, body, and its FINAL MDPC02, 03, service, body", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client(V02);
  await client.says("MDPC02", "\x01", service, "hello", "", "there");
  const [header, command, address = "", delimiter, ...body] = await worker.next();
  assert.deepEqual([header, command, delimiter], ["MDPW02", "\x02", ""]);
  assert.deepEqual(body, ["hello", "", "there"]);
  await worker.says("MDPW02", "\x04", address, "", "world", "", "here");
  await client.hears("MDPC02", "\x03", service, "world", "", "here");
});

test("18/MDP, MDP/Client: each PARTIAL comes as it is sent, in order, and the FINAL after them", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client(V02);
  await client.says("MDPC02", "\x01", service, "count");
  const address = await worker.isAsked("count");
  for (let nth = 0; nth < 20; nth += 1) {
    await worker.says("MDPW02", "\x03", address, "", `${nth}`, "", "part");
    await client.hears("MDPC02", "\x02", service, `${nth}`, "", "part");
  }
  await worker.says("MDPW02", "\x04", address, "", "end");
  await client.hears("MDPC02", "\x03", service, "end");
  await client.hearsNothing();
});

test("18/MDP, MDP/Client: a thousand PARTIALs in one go keep their order", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client(V02);
  await client.says("MDPC02", "\x01", service, "count");
  const address = await worker.isAsked("count");
  for (let nth = 0; nth < 1000; nth += 1) {
    await worker.says("MDPW02", "\x03", address, "", `${nth}`);
  }
  await worker.says("MDPW02", "\x04", address, "", "end");
  for (let nth = 0; nth < 1000; nth += 1) {
    await client.hears("MDPC02", "\x02", service, `${nth}`);
  }
  await client.hears("MDPC02", "\x03", service, "end");
});

test("18/MDP, MDP/Client: a part may be an empty frame, any bytes, or 1 MiB", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client(V02);
  await client.says("MDPC02", "\x01", service, "");
  const address = await worker.isAsked("");
  for (const body of [[""], ["", "", ""], ["\0\xff"], [randomBytes(2 ** 20)]]) {
    await worker.says("MDPW02", "\x03", address, "", ...body);
    await client.hears("MDPC02", "\x02", service, ...body);
  }
  await worker.says("MDPW02", "\x04", address, "", "");
  await client.hears("MDPC02", "\x03", service, "");
});

test("18/MDP, MDP/Client: a REQUEST for a service without workers waits for one", async () => {
  const service = someone();
  using client = broker.client(V02);
  await client.says("MDPC02", "\x01", service, "early");
  await client.hearsNothing();
  using worker = await broker.newcomer(service, V02);
  await worker.replies(await worker.isAsked("early"), "late");
  await client.hears("MDPC02", "\x03", service, "late");
});

for (const [what, command] of [
  ["PARTIAL", "\x02"],
  ["FINAL", "\x03"],
] as const) {
  test(`18/MDP, MDP/Client: a client that sends ${what}, which is the broker's, is not answered`, async () => {
    const service = someone();
    using worker = await broker.worker(service, V02);
    using client = broker.client(V02);
    await client.says("MDPC02", command, service, "body");
    await client.hearsNothing();
    await worker.hearsNothing();
    await echo(client, worker, service);
  });
}

test("18/MDP, MDP/Worker: after the FINAL nothing more reaches the client, and the worker is told DISCONNECT", async () => {
  const service = someone();
  for (const more of ["\x03", "\x04"]) {
    using worker = await broker.worker(service, V02);
    using client = broker.client(V02);
    await client.says("MDPC02", "\x01", service, "?");
    const address = await worker.isAsked("?");
    await worker.says("MDPW02", "\x04", address, "", "final");
    await worker.says("MDPW02", more, address, "", "more");
    await worker.hears("MDPW02", "\x06");
    await client.hears("MDPC02", "\x03", service, "final");
    await client.hearsNothing();
  }
});

test("18/MDP, MDP/Worker: a worker is busy until its FINAL", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client(V02);
  await client.says("MDPC02", "\x01", service, "1");
  await client.says("MDPC02", "\x01", service, "2");
  const address = await worker.isAsked("1");
  await worker.says("MDPW02", "\x03", address, "", "part");
  await worker.hearsNothing();
  await client.hears("MDPC02", "\x02", service, "part");
  await worker.replies(address, "one");
  await worker.replies(await worker.isAsked("2"), "two");
  await client.hears("MDPC02", "\x03", service, "one");
  await client.hears("MDPC02", "\x03", service, "two");
});

for (const [name, ...frames] of [
  ["REQUEST", "\x02", "client", "", "body"],
  ["PARTIAL", "\x03", "client", "", "body"],
  ["FINAL", "\x04", "client", "", "body"],
  ["HEARTBEAT", "\x05"],
] as const) {
  test(`18/MDP, Opening and Closing a Connection: ${name} before READY is answered with DISCONNECT`, async () => {
    using stranger = new Peer(broker.endpoint, V02);
    await stranger.says("MDPW02", ...frames);
    await stranger.hears("MDPW02", "\x06");
    await stranger.hearsNothing();
  });

  if (name === "HEARTBEAT") continue;
  test(`18/MDP, Opening and Closing a Connection: ${name} of an idle worker is answered with DISCONNECT`, async () => {
    const service = someone();
    using worker = await broker.worker(service, V02);
    await worker.says("MDPW02", ...frames);
    await worker.hears("MDPW02", "\x06");
    await worker.learns(service, "404");
  });
}

test("18/MDP, Opening and Closing a Connection: READY is not answered", async () => {
  using worker = await broker.newcomer(someone(), V02);
  await worker.hearsNothing();
});

test("18/MDP, Opening and Closing a Connection: a second READY is answered with DISCONNECT, and the worker forgotten", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  await worker.says("MDPW02", "\x01", service);
  await worker.hears("MDPW02", "\x06");
  await worker.learns(service, "404");
});

test("18/MDP, Opening and Closing a Connection: DISCONNECT is not answered, before READY or after", async () => {
  const service = someone();
  using stranger = new Peer(broker.endpoint, V02);
  await stranger.says("MDPW02", "\x06");
  await stranger.hearsNothing();
  using worker = await broker.worker(service, V02);
  await worker.says("MDPW02", "\x06");
  await worker.learns(service, "404");
});

test("18/MDP, Goals: what a worker had that left before its first PARTIAL is given to another", async () => {
  const service = someone();
  using leaving = await broker.worker(service, V02);
  using staying = await broker.worker(service, V02);
  using client = broker.client(V02);
  await client.says("MDPC02", "\x01", service, "job");
  await leaving.isAsked("job");
  await leaving.says("MDPW02", "\x06");
  const address = await staying.isAsked("job");
  await staying.says("MDPW02", "\x03", address, "", "part");
  await staying.says("MDPW02", "\x04", address, "", "done");
  await client.hears("MDPC02", "\x02", service, "part");
  await client.hears("MDPC02", "\x03", service, "done");
});

test("18/MDP, MDP/Worker: a PARTIAL to a client that did not ask reaches nobody", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using bystander = broker.client(V02);
  await bystander.says("MDPC02", "\x01", service, "?");
  const elsewhere = await worker.isAsked("?");
  await worker.replies(elsewhere, "!");
  await bystander.hears("MDPC02", "\x03", service, "!");
  using client = broker.client(V02);
  await client.says("MDPC02", "\x01", service, "job");
  await worker.isAsked("job");
  await worker.says("MDPW02", "\x03", elsewhere, "", "forged");
  await worker.hears("MDPW02", "\x06");
  await bystander.hearsNothing();
  await broker.givesToAnother(client, service, "job");
});

for (const [what, ...envelope] of [
  ["an empty frame, as a REQ socket sends it", ""],
  ["an envelope and its empty frame", "proxy", "7", ""],
  ["a proxy's address alone", "proxy"],
  ["two addresses", "proxy", "another"],
] as [string, ...string[]][]) {
  test(`28/REQREP, The REP Socket Type: before MDPC02 goes back what came: ${what}`, async () => {
    const service = someone();
    using worker = await broker.worker(service, V02);
    using client = broker.client(V02);
    await client.says(...envelope, "MDPC02", "\x01", service, "hello");
    const address = await worker.isAsked("hello");
    await worker.says("MDPW02", "\x03", address, "", "part");
    await worker.says("MDPW02", "\x04", address, "", "world");
    await client.hears(...envelope, "MDPC02", "\x02", service, "part");
    await client.hears(...envelope, "MDPC02", "\x03", service, "world");
    await client.says(...envelope, "MDPC02", "\x01", "mmi.service", nobody());
    await client.hears(...envelope, "MDPC02", "\x03", "mmi.service", "404");
  });
}

test("28/REQREP, The REQ Socket Type: a REQ socket may speak MDPC02 and hear its FINAL", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = new Peer(broker.endpoint, V02, new Request());
  for (const nth of ["1", "2"]) {
    await client.says("MDPC02", "\x01", service, nth);
    await worker.replies(await worker.isAsked(nth), nth, nth);
    await client.hears("MDPC02", "\x03", service, nth, nth);
  }
});

test("8/MMI, Default services: the broker's own services answer MDPC02 with a FINAL", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client(V02);
  for (const [name, asked, ...answer] of [
    ["mmi.service", service, "200"],
    ["mmi.service", nobody(), "404"],
    ["mmi.unknown", service, "501"],
  ] as const) {
    await client.says("MDPC02", "\x01", name, asked);
    await client.hears("MDPC02", "\x03", name, ...answer);
  }
  await worker.hearsNothing();
});

test("Ours, credit: two streams of one worker do not mix", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02, "2");
  using one = broker.client(V02);
  using two = broker.client(V02);
  await one.says("MDPC02", "\x01", service, "1");
  const first = await worker.isAsked("1");
  await two.says("MDPC02", "\x01", service, "2");
  const second = await worker.isAsked("2");
  assert.deepEqual([first.length, second.length], [16, 16]);
  for (const part of ["a", "b", "c"]) {
    await worker.says("MDPW02", "\x03", first, "", `1${part}`);
    await worker.says("MDPW02", "\x03", second, "", `2${part}`);
  }
  await worker.says("MDPW02", "\x04", second, "", "2!");
  await worker.says("MDPW02", "\x04", first, "", "1!");
  for (const [nth, client] of [
    ["1", one],
    ["2", two],
  ] as const) {
    for (const part of ["a", "b", "c"]) {
      await client.hears("MDPC02", "\x02", service, nth + part);
    }
    await client.hears("MDPC02", "\x03", service, `${nth}!`);
  }
});

test("it was one broker all the while, and it has nothing left over", () => broker.endsWell());
