// 28/REQREP: what a client sends before the empty frame is its envelope, and goes back before the
// reply as it came. Proxies and clients with many requests outstanding live by it.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { Dealer, Request, Router } from "zeromq";
import { freeEndpoint } from "../processes/program.ts";
import { echo, Subject } from "./subject.ts";
import { BYTES, nobody, Peer, someone } from "./wire.ts";

const broker = await Subject.start();
after(() => broker.stop());

for (const [what, ...envelope] of [
  ["no frame"],
  ["one frame", "7"],
  ["three frames", "proxy", "another proxy", "7"],
  ["a hundred frames", ...Array.from({ length: 100 }, (_, nth) => `proxy ${nth}`)],
  ["any bytes", "\0\xff\xfe\x01", "MDPC01", "MDPW01", "\x05"],
  ["64 KiB", "x".repeat(2 ** 16)],
] as [string, ...string[]][]) {
  test(`28/REQREP, The REP Socket Type: an envelope of ${what} goes back as it came`, async () => {
    const service = someone();
    using worker = await broker.worker(service);
    using client = broker.client();
    await client.says(...envelope, "", "MDPC01", service, "hello", "");
    await worker.replies(await worker.isAsked("hello", ""), "world", "");
    await client.hears(...envelope, "", "MDPC01", service, "world", "");
  });
}

test("28/REQREP, The REP Socket Type: the envelope ends at the first empty frame", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("7", "", "", "MDPC01", service, "two empty frames");
  await client.says("7", "", "MDPC01", service, "", "MDPC01", "body");
  await worker.replies(await worker.isAsked("", "MDPC01", "body"), "done");
  await client.hears("7", "", "MDPC01", service, "done");
  await client.hearsNothing();
});

test("28/REQREP, The REP Socket Type: the broker's own services send the envelope back, too", async () => {
  using client = broker.client();
  await client.says("a", "b", "", "MDPC01", "mmi.service", nobody());
  await client.hears("a", "b", "", "MDPC01", "mmi.service", "404");
  await client.says("a", "b", "", "MDPC01", "mmi.unknown", "?");
  await client.hears("a", "b", "", "MDPC01", "mmi.unknown", "501");
});

test("28/REQREP, The REP Socket Type: two clients with one envelope are not taken for one another", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using one = broker.client();
  using two = broker.client();
  for (const [name, client] of [
    ["one", one],
    ["two", two],
  ] as const) {
    await client.says("1", "", "MDPC01", service, name);
    await worker.replies(await worker.isAsked(name), name);
    await client.hears("1", "", "MDPC01", service, name);
  }
  await one.hearsNothing();
  await two.hearsNothing();
});

test("28/REQREP, The DEALER Socket Type: a thousand requests are outstanding, and each has its reply", async () => {
  const service = someone();
  using client = broker.client();
  const expected = new Set<string>();
  for (let nth = 0; nth < 1000; nth += 1) {
    expected.add(String(nth));
    await client.says(String(nth), "", "MDPC01", service, `body ${nth}`);
  }
  await client.hearsNothing();
  using worker = await broker.newcomer(service);
  for (let nth = 0; nth < 1000; nth += 1) {
    const { client: address, body } = await worker.request();
    await worker.replies(address, ...body);
    const [id = "", ...rest] = await client.next();
    assert.ok(expected.delete(id), `a second reply to ${id}`);
    assert.deepEqual(rest, ["", "MDPC01", service, `body ${id}`]);
  }
  assert.equal(expected.size, 0);
});

test("28/REQREP, The DEALER Socket Type: replies come as they are ready, not as they were asked for", async () => {
  const [slow, quick] = [someone(), someone()];
  using one = await broker.worker(slow);
  using other = await broker.worker(quick);
  using client = broker.client();
  await client.says("1", "", "MDPC01", slow, "?");
  await client.says("2", "", "MDPC01", quick, "?");
  const address = await one.isAsked("?");
  await other.replies(await other.isAsked("?"), "quick");
  await client.hears("2", "", "MDPC01", quick, "quick");
  await one.replies(address, "slow");
  await client.hears("1", "", "MDPC01", slow, "slow");
});

test("28/REQREP, The REQ Socket Type: ZMQ_REQ_CORRELATE finds its request id again", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = new Peer(broker.endpoint, BYTES, new Request({ correlate: true, relaxed: true }));
  for (const nth of ["1", "2", "3"]) {
    await client.says("MDPC01", service, "given up");
    const late = await worker.isAsked("given up");
    await client.says("MDPC01", service, nth);
    await worker.replies(late, "too late");
    await worker.replies(await worker.isAsked(nth), nth, nth);
    await client.hears("MDPC01", service, nth, nth);
  }
});

test("28/REQREP, The ROUTER Socket Type: clients behind a proxy, and behind two, have their own replies", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  await using near = await proxy(broker.endpoint);
  await using far = await proxy(near.endpoint);
  const peers = [
    new Peer(near.endpoint),
    new Peer(near.endpoint),
    new Peer(far.endpoint),
    new Peer(far.endpoint, BYTES, new Dealer()),
  ];
  const asked = new Map<string, string>();
  for (const [nth, peer] of peers.entries()) {
    await peer.says(`id ${nth}`, "", "MDPC01", service, `body ${nth}`);
  }
  while (asked.size < peers.length) {
    const { client, body } = await worker.request();
    asked.set(body.join(), client);
    await worker.replies(client, ...body);
  }
  for (const [nth, peer] of peers.entries()) {
    await peer.hears(`id ${nth}`, "", "MDPC01", service, `body ${nth}`);
    await echo(peer, worker, service);
    peer[Symbol.dispose]();
  }
});

test("28/REQREP, The REP Socket Type: a worker sees nothing of the envelope", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  const secret = randomBytes(16).toString("latin1");
  await client.says(secret, "", "MDPC01", service, "hello");
  const frames = await worker.next();
  assert.ok(!frames.includes(secret));
  await worker.replies(frames[3] ?? "", "world");
  await client.hears(secret, "", "MDPC01", service, "world");
});

/** What zmq_proxy() does: a ROUTER for the clients and a DEALER to the broker. */
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

test("it was one broker all the while, and it has nothing left over", () => broker.endsWell());
