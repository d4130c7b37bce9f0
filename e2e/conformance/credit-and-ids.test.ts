// Credit, an extension: READY may carry the number of requests that a worker takes at once. REQUESTs
// to such a worker carry a request id in the client address frame.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { BrokerUnderTest, echo } from "./broker-under-test.ts";
import { DIALECTS, type RawPeer, uniqueName } from "./raw-peer.ts";

const broker = await BrokerUnderTest.start();
after(() => broker.stop());

for (const dialect of DIALECTS) {
  test(`X-CREDIT credit 3, dialect ${dialect.name}: three requests in flight, the fourth after a reply`, async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service, dialect, "3");
    using client = broker.client();
    for (const nth of ["1", "2", "3", "4"]) await client.sends("", "MDPC01", service, nth);
    const ids = [
      await worker.receivesRequest("1"),
      await worker.receivesRequest("2"),
      await worker.receivesRequest("3"),
    ] as const;
    await client.receivesNothing();
    await worker.receivesNothing();
    await worker.sendsReply(ids[1], "two");
    await client.receives("", "MDPC01", service, "two");
    const last = await worker.receivesRequest("4");
    for (const id of [last, ids[2], ids[0]]) await worker.sendsReply(id, "done");
    for (let nth = 0; nth < 3; nth += 1) await client.receives("", "MDPC01", service, "done");
  });
}

for (const credit of ["1", "16", "65535"]) {
  test(`MDP1-B-16 READY with a fifth frame, the credit ${credit}: registered, REQUESTs carry ids of 16 bytes`, async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service, undefined, credit);
    using client = broker.client();
    const ids = new Set<string>();
    for (let nth = 0; nth < 10; nth += 1) {
      await client.sends("", "MDPC01", service, "?");
      const id = await worker.receivesRequest("?");
      assert.equal(id.length, 16);
      ids.add(id);
      await worker.sendsReply(id, "!");
      await client.receives("", "MDPC01", service, "!");
    }
    assert.equal(ids.size, 10);
  });
}

test("X-CREDIT credit 1: one request at a time", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, undefined, "1");
  using client = broker.client();
  await client.sends("", "MDPC01", service, "1");
  await client.sends("", "MDPC01", service, "2");
  const id = await worker.receivesRequest("1");
  await client.receivesNothing();
  await worker.receivesNothing();
  await worker.sendsReply(id, "one");
  await client.receives("", "MDPC01", service, "one");
  await worker.sendsReply(await worker.receivesRequest("2"), "two");
  await client.receives("", "MDPC01", service, "two");
});

test("X-CREDIT an idle worker and one with credit left: the idle one is next", async () => {
  const service = uniqueName();
  using one = await broker.registeredWorker(service, undefined, "10");
  using two = await broker.registeredWorker(service, undefined, "10");
  using client = broker.client();
  await client.sends("", "MDPC01", service, "1");
  await client.sends("", "MDPC01", service, "2");
  const [first, second] = [await one.receivesRequest("1"), await two.receivesRequest("2")];
  await one.sendsReply(first, "one");
  await two.sendsReply(second, "two");
  await client.receives("", "MDPC01", service, "one");
  await client.receives("", "MDPC01", service, "two");
});

test("X-CREDIT a thousand requests in flight, last one answered first: each reply reaches its request", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, undefined, "1000");
  using client = broker.client();
  for (let nth = 0; nth < 1000; nth += 1) {
    await client.sends(`${nth}`, "", "MDPC01", service, `${nth}`);
  }
  const ids: string[] = [];
  for (let nth = 0; nth < 1000; nth += 1) ids.push(await worker.receivesRequest(`${nth}`));
  for (const [nth, id] of [...ids.entries()].reverse()) await worker.sendsReply(id, `${nth}`);
  for (let nth = 999; nth >= 0; nth -= 1) {
    await client.receives(`${nth}`, "", "MDPC01", service, `${nth}`);
  }
});

test("X-CREDIT request redelivered: the same id", async () => {
  const service = uniqueName();
  using client = broker.client();
  await client.sends("", "MDPC01", service, "job");
  using one = await broker.newWorker(service, undefined, "2");
  const id = await one.receivesRequest("job");
  await one.sendsCommand("DISCONNECT");
  await one.receivesNothing();
  using two = await broker.newWorker(service, undefined, "2");
  assert.equal(await two.receivesRequest("job"), id);
  await two.sendsReply(id, "done");
  await client.receives("", "MDPC01", service, "done");
});

test("X-CREDIT worker with three requests leaves: redelivered in the order of arrival", async () => {
  const service = uniqueName();
  using client = broker.client();
  using one = await broker.registeredWorker(service, undefined, "3");
  const ids: string[] = [];
  for (const nth of ["1", "2", "3", "4"]) await client.sends("", "MDPC01", service, nth);
  for (const nth of ["1", "2", "3"]) ids.push(await one.receivesRequest(nth));
  await one.sendsCommand("DISCONNECT");
  await one.receivesNothing();
  using two = await broker.newWorker(service, undefined, "4");
  for (const nth of ["1", "2", "3", "4"]) ids.push(await two.receivesRequest(nth));
  assert.deepEqual(ids.slice(3, 6), ids.slice(0, 3));
  for (const id of ids.slice(3)) {
    await two.sendsReply(id, "done");
    await client.receives("", "MDPC01", service, "done");
  }
});

test("X-CREDIT second reply to a request: dropped; DISCONNECT if the worker has nothing in flight", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, undefined, "2");
  using client = broker.client();
  await client.sends("", "MDPC01", service, "1");
  await client.sends("", "MDPC01", service, "2");
  const [one, two] = [await worker.receivesRequest("1"), await worker.receivesRequest("2")];
  await worker.sendsReply(one, "one");
  await worker.sendsReply(one, "one again");
  await worker.receivesNothing();
  await client.receives("", "MDPC01", service, "one");
  await worker.sendsReply(two, "two");
  await client.receives("", "MDPC01", service, "two");
  await worker.sendsReply(two, "two again");
  await worker.receivesDisconnect();
  await client.receivesNothing();
});

test("X-CREDIT reply under an id of another worker, or an unknown one: dropped", async () => {
  const service = uniqueName();
  using one = await broker.registeredWorker(service, undefined, "2");
  using two = await broker.registeredWorker(service, undefined, "2");
  using client = broker.client();
  for (const nth of ["1", "2"]) await client.sends("", "MDPC01", service, nth);
  const [first, second] = [await one.receivesRequest("1"), await two.receivesRequest("2")];
  for (const id of [second, "\0".repeat(16), first.slice(0, 15), `${first}\0`, "client"]) {
    await one.sendsReply(id, "forged");
  }
  await one.receivesNothing();
  await client.receivesNothing();
  await two.sendsReply(second, "two");
  await client.receives("", "MDPC01", service, "two");
  await one.sendsReply(first, "one");
  await client.receives("", "MDPC01", service, "one");
});

test("X-CREDIT late reply of a worker that left: dropped, DISCONNECT", async () => {
  const service = uniqueName();
  using lost = await broker.registeredWorker(service, undefined, "2");
  using client = broker.client();
  await client.sends("", "MDPC01", service, "job");
  const id = await lost.receivesRequest("job");
  await lost.sendsCommand("DISCONNECT");
  await lost.receivesNothing();
  await lost.sendsReply(id, "late");
  await lost.receivesDisconnect();
  await client.receivesNothing();
  using other = await broker.newWorker(service, undefined, "2");
  await other.sendsReply(await other.receivesRequest("job"), "done");
  await client.receives("", "MDPC01", service, "done");
});

test("MDP1-B-32 worker without credit: its requests carry the client's address", async () => {
  const service = uniqueName();
  using plain = await broker.registeredWorker(service);
  using client = broker.client();
  const addresses: string[] = [];
  for (let nth = 0; nth < 2; nth += 1) {
    await client.sends("", "MDPC01", service, "?");
    const address = await plain.receivesRequest("?");
    addresses.push(address);
    await plain.sendsReply(address, "!");
    await client.receives("", "MDPC01", service, "!");
  }
  assert.equal(addresses[0], addresses[1]);
});

test("X-CREDIT one worker with credit and one without: both serve the service", async () => {
  const service = uniqueName();
  const workers: RawPeer[] = [
    await broker.registeredWorker(service),
    await broker.registeredWorker(service, undefined, "4"),
  ];
  using client = broker.client();
  for (const nth of [0, 1, 0, 1]) await echo(client, workers[nth] as RawPeer, service);
  for (const worker of workers) worker[Symbol.dispose]();
});

test("X-STATS end of the run: one broker process, counters add up, nothing left over", () =>
  broker.endsClean());
