// 7/MDP, MDP/Worker: how a connection opens, goes on and ends.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { BrokerUnderTest, echo } from "./broker-under-test.ts";
import { RawPeer, uniqueName } from "./raw-peer.ts";

const broker = await BrokerUnderTest.start();
after(() => broker.stop());

test("MDP1-B-19 READY: registered, no response", async () => {
  const service = uniqueName();
  using worker = new RawPeer(broker.endpoint);
  await worker.sends("", "MDPW01", "\x01", service);
  await worker.findsService(service, "200");
});

test("MDP1-B-17 request for a worker: the frames of REQUEST", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "one", "two");
  const frames = await worker.next();
  assert.deepEqual(frames.toSpliced(3, 1), ["", "MDPW01", "\x02", "", "one", "two"]);
  assert.notEqual(frames[3], "");
  await worker.sends("", "MDPW01", "\x03", frames[3] ?? "", "", "reply");
  await client.receives("", "MDPC01", service, "reply");
});

test("MDP1-B-29 two clients: each has one address in all its requests", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using one = broker.client();
  using other = broker.client();
  const addresses: string[] = [];
  for (const client of [one, other, one]) {
    await client.sends("", "MDPC01", service, "?");
    const address = await worker.receivesRequest("?");
    addresses.push(address);
    await worker.sendsReply(address, "!");
    await client.receives("", "MDPC01", service, "!");
  }
  assert.equal(addresses[0], addresses[2]);
  assert.notEqual(addresses[0], addresses[1]);
});

test("MDP1-B-02 two requests, one worker: the second after the REPLY to the first", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "1");
  await client.sends("", "MDPC01", service, "2");
  const address = await worker.receivesRequest("1");
  await client.receivesNothing();
  await worker.receivesNothing();
  await worker.sendsReply(address, "one");
  await worker.sendsReply(await worker.receivesRequest("2"), "two");
  await client.receives("", "MDPC01", service, "one");
  await client.receives("", "MDPC01", service, "two");
});

test("MDP1-B-05 three idle workers: the one that was idle the longest is next", async () => {
  const service = uniqueName();
  const workers = [
    await broker.registeredWorker(service),
    await broker.registeredWorker(service),
    await broker.registeredWorker(service),
  ];
  using client = broker.client();
  for (const nth of [0, 1, 2, 0, 1, 2]) await echo(client, workers[nth] as RawPeer, service);
  for (const worker of workers) {
    await worker.receivesNothing();
    worker[Symbol.dispose]();
  }
});

test("MDP1-B-05 busy worker: the idle one is next", async () => {
  const service = uniqueName();
  using busy = await broker.registeredWorker(service);
  using idle = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "long");
  const address = await busy.receivesRequest("long");
  for (let nth = 0; nth < 3; nth += 1) await echo(client, idle, service);
  await busy.sendsReply(address, "done");
  await client.receives("", "MDPC01", service, "done");
});

test("MDP1-B-22 second READY: DISCONNECT, removed", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  await worker.sends("", "MDPW01", "\x01", service);
  await worker.receives("", "MDPW01", "\x05");
  await worker.findsService(service, "404");
});

test("MDP1-B-22 second READY for another service: DISCONNECT, removed", async () => {
  const [service, another] = [uniqueName(), uniqueName()];
  using worker = await broker.registeredWorker(service);
  await worker.sends("", "MDPW01", "\x01", another);
  await worker.receives("", "MDPW01", "\x05");
  await worker.findsService(service, "404");
  await worker.findsService(another, "404");
});

test("MDP1-B-06 busy worker sends a second READY: its request is redelivered", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "job");
  await worker.receivesRequest("job");
  await worker.sends("", "MDPW01", "\x01", service);
  await worker.receives("", "MDPW01", "\x05");
  await broker.redelivers(client, service, "job");
  await worker.receivesNothing();
});

for (const [name, ...frames] of [
  ["REQUEST", "\x02", "client", "", "body"],
  ["REPLY", "\x03", "client", "", "body"],
  ["HEARTBEAT", "\x04"],
] as const) {
  test(`MDP1-B-23 ${name} before READY: DISCONNECT`, async () => {
    using unregistered = new RawPeer(broker.endpoint);
    await unregistered.sends("", "MDPW01", ...frames);
    await unregistered.receives("", "MDPW01", "\x05");
    await unregistered.receivesNothing();
  });
}

test("MDP1-B-24 REQUEST from a worker: DISCONNECT, removed", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  await worker.sends("", "MDPW01", "\x02", "client", "", "body");
  await worker.receives("", "MDPW01", "\x05");
  await worker.findsService(service, "404");
});

test("MDP1-B-24 REPLY from an idle worker: DISCONNECT, removed", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  await worker.sends("", "MDPW01", "\x03", "client", "", "body");
  await worker.receives("", "MDPW01", "\x05");
  await worker.findsService(service, "404");
});

test("MDP1-B-33 second REPLY to one REQUEST: dropped", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "?");
  const address = await worker.receivesRequest("?");
  await worker.sendsReply(address, "first");
  await worker.sendsReply(address, "second");
  await worker.receives("", "MDPW01", "\x05");
  await client.receives("", "MDPC01", service, "first");
  await client.receivesNothing();
});

test("MDP1-B-33 REPLY to a client that waits for none: dropped, the request is redelivered", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using bystander = broker.client();
  await bystander.sends("", "MDPC01", service, "?");
  const elsewhere = await worker.receivesRequest("?");
  await worker.sendsReply(elsewhere, "!");
  await bystander.receives("", "MDPC01", service, "!");
  using client = broker.client();
  await client.sends("", "MDPC01", service, "job");
  await worker.receivesRequest("job");
  await worker.sendsReply(elsewhere, "forged");
  await worker.receives("", "MDPW01", "\x05");
  await bystander.receivesNothing();
  await broker.redelivers(client, service, "job");
});

test("MDP1-B-25 worker after the broker's DISCONNECT: gets no request", async () => {
  const service = uniqueName();
  using rejected = await broker.registeredWorker(service);
  await rejected.sends("", "MDPW01", "\x01", service);
  await rejected.receives("", "MDPW01", "\x05");
  using client = broker.client();
  await client.sends("", "MDPC01", service, "job");
  await client.receivesNothing();
  await rejected.receivesNothing();
  await broker.redelivers(client, service, "job");
  await rejected.receivesNothing();
});

test("MDP1-B-26 removed worker goes on sending: DISCONNECT to each command", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  await worker.sends("", "MDPW01", "\x01", service);
  await worker.receives("", "MDPW01", "\x05");
  for (let nth = 0; nth < 3; nth += 1) {
    await worker.sends("", "MDPW01", "\x04");
    await worker.receives("", "MDPW01", "\x05");
  }
});

test("MDP1-B-25 worker after the broker's DISCONNECT, on a new socket: registered", async () => {
  const service = uniqueName();
  {
    using worker = await broker.registeredWorker(service);
    await worker.sends("", "MDPW01", "\x01", service);
    await worker.receives("", "MDPW01", "\x05");
  }
  using again = await broker.registeredWorker(service);
  using client = broker.client();
  await echo(client, again, service);
});

test("MDP1-B-21 DISCONNECT before READY: no response", async () => {
  using unregistered = new RawPeer(broker.endpoint);
  await unregistered.sends("", "MDPW01", "\x05");
  await unregistered.receivesNothing();
});

test("MDP1-B-21 worker sends DISCONNECT: gets no request", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  await worker.sends("", "MDPW01", "\x05");
  await worker.findsService(service, "404");
  using client = broker.client();
  await client.sends("", "MDPC01", service, "job");
  await client.receivesNothing();
  await worker.receivesNothing();
});

test("MDP1-B-06 busy worker sends DISCONNECT: its request is redelivered", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using other = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "job");
  await worker.receivesRequest("job");
  await worker.sends("", "MDPW01", "\x05");
  await other.sendsReply(await other.receivesRequest("job"), "done");
  await client.receives("", "MDPC01", service, "done");
  await worker.receivesNothing();
});

test("MDP1-B-06 connection of a busy worker breaks: its request is redelivered before queued ones", async () => {
  const service = uniqueName();
  using client = broker.client();
  {
    using worker = await broker.registeredWorker(service);
    await client.sends("", "MDPC01", service, "first");
    await client.sends("", "MDPC01", service, "second");
    await worker.receivesRequest("first");
  }
  await broker.untilService(service, "404");
  using other = await broker.newWorker(service);
  await other.sendsReply(await other.receivesRequest("first"), "1");
  await other.sendsReply(await other.receivesRequest("second"), "2");
  await client.receives("", "MDPC01", service, "1");
  await client.receives("", "MDPC01", service, "2");
});

test("MDP1-B-06 two busy workers leave: their requests are redelivered before queued ones", async () => {
  const service = uniqueName();
  using one = await broker.registeredWorker(service);
  using two = await broker.registeredWorker(service);
  using client = broker.client();
  for (const nth of ["1", "2", "3"]) await client.sends("", "MDPC01", service, nth);
  await one.receivesRequest("1");
  await two.receivesRequest("2");
  await one.sends("", "MDPW01", "\x05");
  await one.receivesNothing();
  await two.sends("", "MDPW01", "\x05");
  await two.receivesNothing();
  using other = await broker.newWorker(service);
  const served: string[] = [];
  for (let nth = 0; nth < 3; nth += 1) {
    const request = await other.request();
    served.push(...request.body);
    await other.sendsReply(request.client, "done");
    await client.receives("", "MDPC01", service, "done");
  }
  assert.deepEqual(served.slice(0, 2).sort(), ["1", "2"]);
});

test("MDP1-B-20 two workers, one leaves: the other serves", async () => {
  const service = uniqueName();
  using leaving = await broker.registeredWorker(service);
  using staying = await broker.registeredWorker(service);
  using client = broker.client();
  await leaving.sends("", "MDPW01", "\x05");
  await leaving.findsService(service, "200");
  for (let nth = 0; nth < 3; nth += 1) await echo(client, staying, service);
});

test("MDP1-B-31 REPLY without the empty frame, as from the Guide's PHP worker: delivered", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  for (const body of [["one"], ["one", "two"], ["one", ""]]) {
    await client.sends("", "MDPC01", service, "?");
    await worker.sends("", "MDPW01", "\x03", await worker.receivesRequest("?"), ...body);
    await client.receives("", "MDPC01", service, ...body);
  }
});

test("MDP1-B-07 one socket as client and worker: served", async () => {
  const service = uniqueName();
  using both = await broker.registeredWorker(service);
  await both.sends("", "MDPC01", service, "to myself");
  await both.sendsReply(await both.receivesRequest("to myself"), "from myself");
  await both.receives("", "MDPC01", service, "from myself");
});

test("X-STATS end of the run: one broker process, counters add up, nothing left over", () =>
  broker.endsClean());
