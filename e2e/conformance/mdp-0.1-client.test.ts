// 7/MDP, MDP/Client: frames, services and queues.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { Dealer, Request } from "zeromq";
import { BrokerUnderTest, echo } from "./broker-under-test.ts";
import { RawPeer, uniqueName, unservedName, V01 } from "./raw-peer.ts";

const broker = await BrokerUnderTest.start();
after(() => broker.stop());

test("MDP1-B-08 request and reply: the frames of REQUEST and REPLY", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "hello");
  const [empty, header, command, address = "", delimiter, ...body] = await worker.next();
  assert.deepEqual([empty, header, command], ["", "MDPW01", "\x02"]);
  assert.deepEqual([delimiter, body], ["", ["hello"]]);
  await worker.sends("", "MDPW01", "\x03", address, "", "world");
  await client.receives("", "MDPC01", service, "world");
});

test("MDP1-B-09 REQ socket, three requests: three replies", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = new RawPeer(broker.endpoint, V01, new Request());
  for (const nth of ["1", "2", "3"]) {
    await client.sends("MDPC01", service, nth);
    await worker.sendsReply(await worker.receivesRequest(nth), nth, nth);
    await client.receives("MDPC01", service, nth, nth);
  }
});

test("MDP1-B-10 body of many frames, any bytes: unchanged both ways", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const body = ["MDPC01", "", "\x00", all, "\xc3\x28", "MDPW01", "\x05", "last"];
  await client.sends("", "MDPC01", service, ...body);
  await worker.sendsReply(await worker.receivesRequest(...body), ...body.toReversed());
  await client.receives("", "MDPC01", service, ...body.toReversed());
});

test("MDP1-B-10 body of empty frames only: unchanged both ways", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  for (const body of [[""], ["", ""], ["", "", "x", "", ""]]) {
    await client.sends("", "MDPC01", service, ...body);
    await worker.sendsReply(await worker.receivesRequest(...body), ...body);
    await client.receives("", "MDPC01", service, ...body);
  }
});

test("MDP1-B-10 body of a thousand frames: unchanged both ways", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  const body = Array.from({ length: 1000 }, (_, nth) => String(nth));
  await client.sends("", "MDPC01", service, ...body);
  await worker.sendsReply(await worker.receivesRequest(...body), ...body);
  await client.receives("", "MDPC01", service, ...body);
});

test("MDP1-B-10 body of 1 MiB: unchanged both ways", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  const [question, answer] = [randomBytes(2 ** 20), randomBytes(2 ** 20)];
  await client.sends("", "MDPC01", service, question);
  await worker.sendsReply(await worker.receivesRequest(question), answer);
  await client.receives("", "MDPC01", service, answer);
});

test("MDP1-B-11 service names that differ after a NUL, beyond UTF-8 or in case: different services", async () => {
  const name = uniqueName();
  const services = ["", "\0a", "\0b", "\xff", "\xfe", "\xc3\xbf", " ", "X", "x"].map(
    (end) => name + end,
  );
  using client = broker.client();
  const workers = await Promise.all(services.map((service) => broker.registeredWorker(service)));
  for (const [nth, service] of services.entries()) {
    const worker = workers[nth] as RawPeer;
    await echo(client, worker, service);
    await worker.receivesNothing();
  }
  for (const worker of workers) worker[Symbol.dispose]();
});

test("MDP1-B-11 service names of 1 and of 255 bytes: served", async () => {
  using client = broker.client();
  for (const service of [uniqueName().padEnd(255, "\xf0"), "\x01"]) {
    using worker = await broker.registeredWorker(service);
    await echo(client, worker, service);
  }
});

test("MDP1-B-12 REQUEST for a service without workers: delivered to the first worker", async () => {
  const service = uniqueName();
  using client = broker.client();
  await client.sends("", "MDPC01", service, "early");
  await client.receivesNothing();
  using worker = await broker.newWorker(service);
  await worker.sendsReply(await worker.receivesRequest("early"), "late");
  await client.receives("", "MDPC01", service, "late");
});

test("MDP1-B-03 three requests of one client queued: delivered in order", async () => {
  const service = uniqueName();
  using client = broker.client();
  for (const nth of ["1", "2", "3"]) await client.sends("", "MDPC01", service, nth);
  await client.receivesNothing();
  using worker = await broker.newWorker(service);
  for (const nth of ["1", "2", "3"]) {
    await worker.sendsReply(await worker.receivesRequest(nth), nth);
    await client.receives("", "MDPC01", service, nth);
  }
});

test("MDP1-B-03 a hundred requests for services without workers: other services are served", async () => {
  const service = uniqueName();
  using waiting = broker.client();
  for (let nth = 0; nth < 100; nth += 1) await waiting.sends("", "MDPC01", unservedName(), "?");
  using worker = await broker.registeredWorker(service);
  await echo(waiting, worker, service);
});

test("MDP1-B-14 two clients: each gets its own REPLY only", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using one = broker.client();
  using other = broker.client();
  await one.sends("", "MDPC01", service, "one");
  await worker.sendsReply(await worker.receivesRequest("one"), "ONE");
  await one.receives("", "MDPC01", service, "ONE");
  await other.receivesNothing();
  await other.sends("", "MDPC01", service, "other");
  await worker.sendsReply(await worker.receivesRequest("other"), "OTHER");
  await other.receives("", "MDPC01", service, "OTHER");
  await one.receivesNothing();
});

test("MDP1-B-01 fifty requests of one client queued: another client's request is second at the latest", async () => {
  const service = uniqueName();
  using greedy = broker.client();
  using modest = broker.client();
  for (let nth = 0; nth < 50; nth += 1) await greedy.sends("", "MDPC01", service, "greedy");
  await greedy.receivesNothing();
  await modest.sends("", "MDPC01", service, "modest");
  await modest.receivesNothing();
  using worker = await broker.newWorker(service);
  const served: string[] = [];
  while (!served.includes("modest")) {
    const { client, body } = await worker.request();
    served.push(...body);
    await worker.sendsReply(client, "done");
  }
  assert.ok(served.length <= 2, `${served.length - 1} requests of the other client came first`);
  await modest.receives("", "MDPC01", service, "done");
});

test("MDP1-B-01 four requests of each of three clients queued: served in turns", async () => {
  const service = uniqueName();
  using one = broker.client();
  using two = broker.client();
  using three = broker.client();
  for (const [name, client] of [
    ["1", one],
    ["2", two],
    ["3", three],
  ] as const) {
    for (let nth = 0; nth < 4; nth += 1) await client.sends("", "MDPC01", service, name);
    await client.receivesNothing();
  }
  using worker = await broker.newWorker(service);
  const served: string[] = [];
  for (let nth = 0; nth < 12; nth += 1) {
    const { client, body } = await worker.request();
    served.push(...body);
    await worker.sendsReply(client, "done");
  }
  for (const round of [0, 3, 6, 9]) {
    assert.deepEqual(served.slice(round, round + 3).sort(), ["1", "2", "3"], served.join(""));
  }
});

test("REQREP-09 client with a routing id of its own: the worker sees it as the address", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  for (const routingId of ["client", "\x01", "mmi.service", "x".repeat(255)]) {
    using client = new RawPeer(broker.endpoint, V01, new Dealer({ routingId }));
    await client.sends("", "MDPC01", service, "hello");
    assert.equal(await worker.receivesRequest("hello"), routingId);
    await worker.sendsReply(routingId, "world");
    await client.receives("", "MDPC01", service, "world");
  }
});

test("MDP1-B-04 client gone: its queued requests are dropped", async () => {
  const service = uniqueName();
  using staying = broker.client();
  {
    using leaving = broker.client();
    await leaving.sends("", "MDPC01", service, "nobody waits");
    await leaving.receivesNothing();
  }
  await broker.untilForgotten(service);
  await staying.sends("", "MDPC01", service, "somebody waits");
  using worker = await broker.newWorker(service);
  await worker.sendsReply(await worker.receivesRequest("somebody waits"), "here");
  await staying.receives("", "MDPC01", service, "here");
});

test("X-STATS end of the run: one broker process, counters add up, nothing left over", () =>
  broker.endsClean());
