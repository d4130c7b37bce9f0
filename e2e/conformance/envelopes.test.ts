// 28/REQREP: the frames before a client's first empty frame are its envelope, and the broker puts them
// before the reply. Proxies, and clients with many requests outstanding, need it.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { Dealer, Request, Router } from "zeromq";
import { freeEndpoint } from "../processes/program.ts";
import { BrokerUnderTest, echo } from "./broker-under-test.ts";
import { RawPeer, uniqueName, unservedName, V01 } from "./raw-peer.ts";

const broker = await BrokerUnderTest.start();
after(() => broker.stop());

for (const [what, ...envelope] of [
  ["no frame"],
  ["one frame", "7"],
  ["three frames", "proxy", "another proxy", "7"],
  ["a hundred frames", ...Array.from({ length: 100 }, (_, nth) => `proxy ${nth}`)],
  ["any bytes", "\0\xff\xfe\x01", "MDPC01", "MDPW01", "\x05"],
  ["64 KiB", "x".repeat(2 ** 16)],
] as [string, ...string[]][]) {
  test(`REQREP-02 envelope of ${what}: goes back unchanged`, async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service);
    using client = broker.client();
    await client.sends(...envelope, "", "MDPC01", service, "hello", "");
    await worker.sendsReply(await worker.receivesRequest("hello", ""), "world", "");
    await client.receives(...envelope, "", "MDPC01", service, "world", "");
  });
}

test("REQREP-03 two empty frames before the header: dropped; empty frames in the body: kept", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("7", "", "", "MDPC01", service, "two empty frames");
  await client.sends("7", "", "MDPC01", service, "", "MDPC01", "body");
  await worker.sendsReply(await worker.receivesRequest("", "MDPC01", "body"), "done");
  await client.receives("7", "", "MDPC01", service, "done");
  await client.receivesNothing();
});

test("REQREP-02 management request with an envelope: goes back unchanged", async () => {
  using client = broker.client();
  await client.sends("a", "b", "", "MDPC01", "mmi.service", unservedName());
  await client.receives("a", "b", "", "MDPC01", "mmi.service", "404");
  await client.sends("a", "b", "", "MDPC01", "mmi.unknown", "?");
  await client.receives("a", "b", "", "MDPC01", "mmi.unknown", "501");
});

test("REQREP-05 two clients with the same envelope: each gets its own reply", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using one = broker.client();
  using two = broker.client();
  for (const [name, client] of [
    ["one", one],
    ["two", two],
  ] as const) {
    await client.sends("1", "", "MDPC01", service, name);
    await worker.sendsReply(await worker.receivesRequest(name), name);
    await client.receives("1", "", "MDPC01", service, name);
  }
  await one.receivesNothing();
  await two.receivesNothing();
});

test("REQREP-06 a thousand requests outstanding: each has its reply", async () => {
  const service = uniqueName();
  using client = broker.client();
  const expected = new Set<string>();
  for (let nth = 0; nth < 1000; nth += 1) {
    expected.add(String(nth));
    await client.sends(String(nth), "", "MDPC01", service, `body ${nth}`);
  }
  await client.receivesNothing();
  using worker = await broker.newWorker(service);
  for (let nth = 0; nth < 1000; nth += 1) {
    const { client: address, body } = await worker.request();
    await worker.sendsReply(address, ...body);
    const [id = "", ...rest] = await client.next();
    assert.ok(expected.delete(id), `a second reply to ${id}`);
    assert.deepEqual(rest, ["", "MDPC01", service, `body ${id}`]);
  }
  assert.equal(expected.size, 0);
});

test("REQREP-06 second request finished first: its reply comes first", async () => {
  const [slow, quick] = [uniqueName(), uniqueName()];
  using one = await broker.registeredWorker(slow);
  using other = await broker.registeredWorker(quick);
  using client = broker.client();
  await client.sends("1", "", "MDPC01", slow, "?");
  await client.sends("2", "", "MDPC01", quick, "?");
  const address = await one.receivesRequest("?");
  await other.sendsReply(await other.receivesRequest("?"), "quick");
  await client.receives("2", "", "MDPC01", quick, "quick");
  await one.sendsReply(address, "slow");
  await client.receives("1", "", "MDPC01", slow, "slow");
});

test("REQREP-01 ZMQ_REQ_CORRELATE: the request id goes back, a late reply is not taken", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = new RawPeer(broker.endpoint, V01, new Request({ correlate: true, relaxed: true }));
  for (const nth of ["1", "2", "3"]) {
    await client.sends("MDPC01", service, "given up");
    const late = await worker.receivesRequest("given up");
    await client.sends("MDPC01", service, nth);
    await worker.sendsReply(late, "too late");
    await worker.sendsReply(await worker.receivesRequest(nth), nth, nth);
    await client.receives("MDPC01", service, nth, nth);
  }
});

test("REQREP-08 clients behind one proxy and behind two: each gets its own reply", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  await using near = await proxy(broker.endpoint);
  await using far = await proxy(near.endpoint);
  const peers = [
    new RawPeer(near.endpoint),
    new RawPeer(near.endpoint),
    new RawPeer(far.endpoint),
    new RawPeer(far.endpoint, V01, new Dealer()),
  ];
  const asked = new Map<string, string>();
  for (const [nth, peer] of peers.entries()) {
    await peer.sends(`id ${nth}`, "", "MDPC01", service, `body ${nth}`);
  }
  while (asked.size < peers.length) {
    const { client, body } = await worker.request();
    asked.set(body.join(), client);
    await worker.sendsReply(client, ...body);
  }
  for (const [nth, peer] of peers.entries()) {
    await peer.receives(`id ${nth}`, "", "MDPC01", service, `body ${nth}`);
    await echo(peer, worker, service);
    peer[Symbol.dispose]();
  }
});

test("REQREP-04 request with an envelope: the worker receives no frame of it", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  const secret = randomBytes(16).toString("latin1");
  await client.sends(secret, "", "MDPC01", service, "hello");
  const frames = await worker.next();
  assert.ok(!frames.includes(secret));
  await worker.sendsReply(frames[3] ?? "", "world");
  await client.receives(secret, "", "MDPC01", service, "world");
});

/** Does the same as zmq_proxy(): a ROUTER for the clients and a DEALER to the broker. */
async function proxy(to: string): Promise<AsyncDisposable & { endpoint: string }> {
  const endpoint = await freeEndpoint();
  const [front, back] = [new Router({ linger: 0 }), new Dealer({ linger: 0 })];
  await front.bind(endpoint);
  back.connect(to);
  const forwarding = [
    (async () => {
      for await (const frames of front) await back.send(frames);
    })(),
    (async () => {
      for await (const frames of back) await front.send(frames);
    })(),
  ];
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      front.close();
      back.close();
      await Promise.all(forwarding);
    },
  };
}

test("X-STATS end of the run: one broker process, counters add up, nothing left over", () =>
  broker.endsClean());
