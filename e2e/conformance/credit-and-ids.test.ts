// What is ours in MDP/Worker: a READY may announce a credit, and who does finds the request's id
// where the client's address goes. A foreign broker may know nothing of it.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { echo, Subject } from "./subject.ts";
import { DIALECTS, type Peer, someone } from "./wire.ts";

const broker = await Subject.start();
after(() => broker.stop());

for (const dialect of DIALECTS) {
  test(`Ours, credit: a worker has as many requests at once as it announced: ${dialect.name}`, async () => {
    const service = someone();
    using worker = await broker.worker(service, dialect, "3");
    using client = broker.client();
    for (const nth of ["1", "2", "3", "4"]) await client.says("", "MDPC01", service, nth);
    const ids = [
      await worker.isAsked("1"),
      await worker.isAsked("2"),
      await worker.isAsked("3"),
    ] as const;
    await client.hearsNothing();
    await worker.hearsNothing();
    await worker.replies(ids[1], "two");
    await client.hears("", "MDPC01", service, "two");
    const last = await worker.isAsked("4");
    for (const id of [last, ids[2], ids[0]]) await worker.replies(id, "done");
    for (let nth = 0; nth < 3; nth += 1) await client.hears("", "MDPC01", service, "done");
  });
}

for (const credit of ["1", "16", "65535"]) {
  test(`Ours, credit: ${credit} is one, and its worker finds ids of 16 bytes`, async () => {
    const service = someone();
    using worker = await broker.worker(service, undefined, credit);
    using client = broker.client();
    const ids = new Set<string>();
    for (let nth = 0; nth < 10; nth += 1) {
      await client.says("", "MDPC01", service, "?");
      const id = await worker.isAsked("?");
      assert.equal(id.length, 16);
      ids.add(id);
      await worker.replies(id, "!");
      await client.hears("", "MDPC01", service, "!");
    }
    assert.equal(ids.size, 10);
  });
}

test("Ours, credit: with a credit of 1 a worker has one request at a time", async () => {
  const service = someone();
  using worker = await broker.worker(service, undefined, "1");
  using client = broker.client();
  await client.says("", "MDPC01", service, "1");
  await client.says("", "MDPC01", service, "2");
  const id = await worker.isAsked("1");
  await client.hearsNothing();
  await worker.hearsNothing();
  await worker.replies(id, "one");
  await client.hears("", "MDPC01", service, "one");
  await worker.replies(await worker.isAsked("2"), "two");
  await client.hears("", "MDPC01", service, "two");
});

test("Ours, credit: an idle worker is served before one that has credit left", async () => {
  const service = someone();
  using one = await broker.worker(service, undefined, "10");
  using two = await broker.worker(service, undefined, "10");
  using client = broker.client();
  await client.says("", "MDPC01", service, "1");
  await client.says("", "MDPC01", service, "2");
  const [first, second] = [await one.isAsked("1"), await two.isAsked("2")];
  await one.replies(first, "one");
  await two.replies(second, "two");
  await client.hears("", "MDPC01", service, "one");
  await client.hears("", "MDPC01", service, "two");
});

test("Ours, credit: a thousand requests at once, answered the last one first", async () => {
  const service = someone();
  using worker = await broker.worker(service, undefined, "1000");
  using client = broker.client();
  for (let nth = 0; nth < 1000; nth += 1) {
    await client.says(`${nth}`, "", "MDPC01", service, `${nth}`);
  }
  const ids: string[] = [];
  for (let nth = 0; nth < 1000; nth += 1) ids.push(await worker.isAsked(`${nth}`));
  for (const [nth, id] of [...ids.entries()].reverse()) await worker.replies(id, `${nth}`);
  for (let nth = 999; nth >= 0; nth -= 1) {
    await client.hears(`${nth}`, "", "MDPC01", service, `${nth}`);
  }
});

test("Ours, ids: a request that is given to another worker has the id that it had", async () => {
  const service = someone();
  using client = broker.client();
  await client.says("", "MDPC01", service, "job");
  using one = await broker.newcomer(service, undefined, "2");
  const id = await one.isAsked("job");
  await one.commands("DISCONNECT");
  await one.hearsNothing();
  using two = await broker.newcomer(service, undefined, "2");
  assert.equal(await two.isAsked("job"), id);
  await two.replies(id, "done");
  await client.hears("", "MDPC01", service, "done");
});

test("Ours, ids: what a worker with credit had is given away in the order in which it was asked", async () => {
  const service = someone();
  using client = broker.client();
  using one = await broker.worker(service, undefined, "3");
  const ids: string[] = [];
  for (const nth of ["1", "2", "3", "4"]) await client.says("", "MDPC01", service, nth);
  for (const nth of ["1", "2", "3"]) ids.push(await one.isAsked(nth));
  await one.commands("DISCONNECT");
  await one.hearsNothing();
  using two = await broker.newcomer(service, undefined, "4");
  for (const nth of ["1", "2", "3", "4"]) ids.push(await two.isAsked(nth));
  assert.deepEqual(ids.slice(3, 6), ids.slice(0, 3));
  for (const id of ids.slice(3)) {
    await two.replies(id, "done");
    await client.hears("", "MDPC01", service, "done");
  }
});

test("Ours, ids: a second reply is dropped, and told DISCONNECT if its worker has nothing else", async () => {
  const service = someone();
  using worker = await broker.worker(service, undefined, "2");
  using client = broker.client();
  await client.says("", "MDPC01", service, "1");
  await client.says("", "MDPC01", service, "2");
  const [one, two] = [await worker.isAsked("1"), await worker.isAsked("2")];
  await worker.replies(one, "one");
  await worker.replies(one, "one again");
  await worker.hearsNothing();
  await client.hears("", "MDPC01", service, "one");
  await worker.replies(two, "two");
  await client.hears("", "MDPC01", service, "two");
  await worker.replies(two, "two again");
  await worker.isDisconnected();
  await client.hearsNothing();
});

test("Ours, ids: a reply under an id that is another worker's, or nobody's, reaches nobody", async () => {
  const service = someone();
  using one = await broker.worker(service, undefined, "2");
  using two = await broker.worker(service, undefined, "2");
  using client = broker.client();
  for (const nth of ["1", "2"]) await client.says("", "MDPC01", service, nth);
  const [first, second] = [await one.isAsked("1"), await two.isAsked("2")];
  for (const id of [second, "\0".repeat(16), first.slice(0, 15), `${first}\0`, "client"]) {
    await one.replies(id, "forged");
  }
  await one.hearsNothing();
  await client.hearsNothing();
  await two.replies(second, "two");
  await client.hears("", "MDPC01", service, "two");
  await one.replies(first, "one");
  await client.hears("", "MDPC01", service, "one");
});

test("Ours, ids: the late reply of a worker that was lost is dropped, and it is told DISCONNECT", async () => {
  const service = someone();
  using lost = await broker.worker(service, undefined, "2");
  using client = broker.client();
  await client.says("", "MDPC01", service, "job");
  const id = await lost.isAsked("job");
  await lost.commands("DISCONNECT");
  await lost.hearsNothing();
  await lost.replies(id, "late");
  await lost.isDisconnected();
  await client.hearsNothing();
  using other = await broker.newcomer(service, undefined, "2");
  await other.replies(await other.isAsked("job"), "done");
  await client.hears("", "MDPC01", service, "done");
});

test("Ours, ids: a plain worker finds the address of its client, not an id", async () => {
  const service = someone();
  using plain = await broker.worker(service);
  using client = broker.client();
  const addresses: string[] = [];
  for (let nth = 0; nth < 2; nth += 1) {
    await client.says("", "MDPC01", service, "?");
    const address = await plain.isAsked("?");
    addresses.push(address);
    await plain.replies(address, "!");
    await client.hears("", "MDPC01", service, "!");
  }
  assert.equal(addresses[0], addresses[1]);
});

test("Ours, credit: a plain worker and one with credit serve the same service", async () => {
  const service = someone();
  const workers: Peer[] = [
    await broker.worker(service),
    await broker.worker(service, undefined, "4"),
  ];
  using client = broker.client();
  for (const nth of [0, 1, 0, 1]) await echo(client, workers[nth] as Peer, service);
  for (const worker of workers) worker[Symbol.dispose]();
});

test("it was one broker all the while, and it has nothing left over", () => broker.endsWell());
