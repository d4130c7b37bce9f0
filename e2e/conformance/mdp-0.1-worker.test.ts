// 7/MDP, the worker's side, frame by frame: how a conversation opens, goes on and ends.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { echo, Subject } from "./subject.ts";
import { Peer, someone } from "./wire.ts";

const broker = await Subject.start();
after(() => broker.stop());

test("7/MDP, Opening and Closing a Connection: READY registers a worker and is not answered", async () => {
  const service = someone();
  using worker = new Peer(broker.endpoint);
  await worker.says("", "MDPW01", "\x01", service);
  await worker.learns(service, "200");
});

test("7/MDP, MDP/Worker: a REQUEST has one client address and an empty frame before its body", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", service, "one", "two");
  const frames = await worker.next();
  assert.deepEqual(frames.toSpliced(3, 1), ["", "MDPW01", "\x02", "", "one", "two"]);
  assert.notEqual(frames[3], "");
  await worker.says("", "MDPW01", "\x03", frames[3] ?? "", "", "reply");
  await client.hears("", "MDPC01", service, "reply");
});

test("7/MDP, Request and Reply Processing: a client has the same address in all its requests", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using one = broker.client();
  using other = broker.client();
  const addresses: string[] = [];
  for (const client of [one, other, one]) {
    await client.says("", "MDPC01", service, "?");
    const address = await worker.isAsked("?");
    addresses.push(address);
    await worker.replies(address, "!");
    await client.hears("", "MDPC01", service, "!");
  }
  assert.equal(addresses[0], addresses[2]);
  assert.notEqual(addresses[0], addresses[1]);
});

test("7/MDP, Overall Topology: a worker has one request at a time", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", service, "1");
  await client.says("", "MDPC01", service, "2");
  const address = await worker.isAsked("1");
  await client.hearsNothing();
  await worker.hearsNothing();
  await worker.replies(address, "one");
  await worker.replies(await worker.isAsked("2"), "two");
  await client.hears("", "MDPC01", service, "one");
  await client.hears("", "MDPC01", service, "two");
});

test("7/MDP, Goals: the worker that has been idle the longest is next", async () => {
  const service = someone();
  const workers = [
    await broker.worker(service),
    await broker.worker(service),
    await broker.worker(service),
  ];
  using client = broker.client();
  for (const nth of [0, 1, 2, 0, 1, 2]) await echo(client, workers[nth] as Peer, service);
  for (const worker of workers) {
    await worker.hearsNothing();
    worker[Symbol.dispose]();
  }
});

test("7/MDP, Goals: a busy worker is passed over", async () => {
  const service = someone();
  using busy = await broker.worker(service);
  using idle = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", service, "long");
  const address = await busy.isAsked("long");
  for (let nth = 0; nth < 3; nth += 1) await echo(client, idle, service);
  await busy.replies(address, "done");
  await client.hears("", "MDPC01", service, "done");
});

test("7/MDP, Opening and Closing a Connection: a second READY is answered with DISCONNECT, and the worker forgotten", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  await worker.says("", "MDPW01", "\x01", service);
  await worker.hears("", "MDPW01", "\x05");
  await worker.learns(service, "404");
});

test("7/MDP, Opening and Closing a Connection: so is a second READY for another service", async () => {
  const [service, another] = [someone(), someone()];
  using worker = await broker.worker(service);
  await worker.says("", "MDPW01", "\x01", another);
  await worker.hears("", "MDPW01", "\x05");
  await worker.learns(service, "404");
  await worker.learns(another, "404");
});

test("7/MDP, Opening and Closing a Connection: what a busy worker had when it said READY again is another's", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", service, "job");
  await worker.isAsked("job");
  await worker.says("", "MDPW01", "\x01", service);
  await worker.hears("", "MDPW01", "\x05");
  await broker.givesToAnother(client, service, "job");
  await worker.hearsNothing();
});

for (const [name, ...frames] of [
  ["REQUEST", "\x02", "client", "", "body"],
  ["REPLY", "\x03", "client", "", "body"],
  ["HEARTBEAT", "\x04"],
] as const) {
  test(`7/MDP, Opening and Closing a Connection: ${name} before READY is answered with DISCONNECT`, async () => {
    using stranger = new Peer(broker.endpoint);
    await stranger.says("", "MDPW01", ...frames);
    await stranger.hears("", "MDPW01", "\x05");
    await stranger.hearsNothing();
  });
}

test("7/MDP, Opening and Closing a Connection: a REQUEST from a worker is answered with DISCONNECT", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  await worker.says("", "MDPW01", "\x02", "client", "", "body");
  await worker.hears("", "MDPW01", "\x05");
  await worker.learns(service, "404");
});

test("7/MDP, Opening and Closing a Connection: a REPLY to nothing is answered with DISCONNECT", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  await worker.says("", "MDPW01", "\x03", "client", "", "body");
  await worker.hears("", "MDPW01", "\x05");
  await worker.learns(service, "404");
});

test("7/MDP, Request and Reply Processing: a second REPLY to one REQUEST is passed on to nobody", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", service, "?");
  const address = await worker.isAsked("?");
  await worker.replies(address, "first");
  await worker.replies(address, "second");
  await worker.hears("", "MDPW01", "\x05");
  await client.hears("", "MDPC01", service, "first");
  await client.hearsNothing();
});

test("7/MDP, Request and Reply Processing: a REPLY to a client that did not ask reaches nobody", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using bystander = broker.client();
  await bystander.says("", "MDPC01", service, "?");
  const elsewhere = await worker.isAsked("?");
  await worker.replies(elsewhere, "!");
  await bystander.hears("", "MDPC01", service, "!");
  using client = broker.client();
  await client.says("", "MDPC01", service, "job");
  await worker.isAsked("job");
  await worker.replies(elsewhere, "forged");
  await worker.hears("", "MDPW01", "\x05");
  await bystander.hearsNothing();
  await broker.givesToAnother(client, service, "job");
});

test("7/MDP, Opening and Closing a Connection: whom the broker told DISCONNECT it sends nothing more", async () => {
  const service = someone();
  using rejected = await broker.worker(service);
  await rejected.says("", "MDPW01", "\x01", service);
  await rejected.hears("", "MDPW01", "\x05");
  using client = broker.client();
  await client.says("", "MDPC01", service, "job");
  await client.hearsNothing();
  await rejected.hearsNothing();
  await broker.givesToAnother(client, service, "job");
  await rejected.hearsNothing();
});

test("7/MDP, Opening and Closing a Connection: whom the broker told DISCONNECT may come back on a new socket", async () => {
  const service = someone();
  {
    using worker = await broker.worker(service);
    await worker.says("", "MDPW01", "\x01", service);
    await worker.hears("", "MDPW01", "\x05");
  }
  using again = await broker.worker(service);
  using client = broker.client();
  await echo(client, again, service);
});

test("7/MDP, Opening and Closing a Connection: DISCONNECT before READY is not answered", async () => {
  using stranger = new Peer(broker.endpoint);
  await stranger.says("", "MDPW01", "\x05");
  await stranger.hearsNothing();
});

test("7/MDP, Opening and Closing a Connection: a worker that said DISCONNECT is sent nothing more", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  await worker.says("", "MDPW01", "\x05");
  await worker.learns(service, "404");
  using client = broker.client();
  await client.says("", "MDPC01", service, "job");
  await client.hearsNothing();
  await worker.hearsNothing();
});

test("7/MDP, Goals: what a worker had that said DISCONNECT is given to another", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using other = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", service, "job");
  await worker.isAsked("job");
  await worker.says("", "MDPW01", "\x05");
  await other.replies(await other.isAsked("job"), "done");
  await client.hears("", "MDPC01", service, "done");
  await worker.hearsNothing();
});

test("7/MDP, Goals: what a worker had whose connection broke is given to another, and is first in line", async () => {
  const service = someone();
  using client = broker.client();
  {
    using worker = await broker.worker(service);
    await client.says("", "MDPC01", service, "first");
    await client.says("", "MDPC01", service, "second");
    await worker.isAsked("first");
  }
  await broker.learns(service, "404");
  using other = await broker.newcomer(service);
  await other.replies(await other.isAsked("first"), "1");
  await other.replies(await other.isAsked("second"), "2");
  await client.hears("", "MDPC01", service, "1");
  await client.hears("", "MDPC01", service, "2");
});

test("7/MDP, Goals: what two lost workers had is given away before what has waited", async () => {
  const service = someone();
  using one = await broker.worker(service);
  using two = await broker.worker(service);
  using client = broker.client();
  for (const nth of ["1", "2", "3"]) await client.says("", "MDPC01", service, nth);
  await one.isAsked("1");
  await two.isAsked("2");
  await one.says("", "MDPW01", "\x05");
  await one.hearsNothing();
  await two.says("", "MDPW01", "\x05");
  await two.hearsNothing();
  using other = await broker.newcomer(service);
  const served: string[] = [];
  for (let nth = 0; nth < 3; nth += 1) {
    const request = await other.request();
    served.push(...request.body);
    await other.replies(request.client, "done");
    await client.hears("", "MDPC01", service, "done");
  }
  assert.deepEqual(served.slice(0, 2).sort(), ["1", "2"]);
});

test("7/MDP, Opening and Closing a Connection: one worker that leaves takes no other along", async () => {
  const service = someone();
  using leaving = await broker.worker(service);
  using staying = await broker.worker(service);
  using client = broker.client();
  await leaving.says("", "MDPW01", "\x05");
  await leaving.learns(service, "200");
  for (let nth = 0; nth < 3; nth += 1) await echo(client, staying, service);
});

test("Ours: a REPLY without the empty frame, as the Guide's PHP worker sends it, is taken as it comes", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  for (const body of [["one"], ["one", "two"], ["one", ""]]) {
    await client.says("", "MDPC01", service, "?");
    await worker.says("", "MDPW01", "\x03", await worker.isAsked("?"), ...body);
    await client.hears("", "MDPC01", service, ...body);
  }
});

test("7/MDP, ROUTER Addressing: one socket may be a client and a worker", async () => {
  const service = someone();
  using both = await broker.worker(service);
  await both.says("", "MDPC01", service, "to myself");
  await both.replies(await both.isAsked("to myself"), "from myself");
  await both.hears("", "MDPC01", service, "from myself");
});

test("it was one broker all the while, and it has nothing left over", () => broker.endsWell());
