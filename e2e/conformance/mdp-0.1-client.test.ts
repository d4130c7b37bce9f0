// 7/MDP, the client's side, frame by frame.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { Dealer, Request } from "zeromq";
import { echo, Subject } from "./subject.ts";
import { BYTES, nobody, Peer, someone } from "./wire.ts";

const broker = await Subject.start();
after(() => broker.stop());

test("7/MDP, MDP/Client: a REQUEST is an empty frame, MDPC01, service, body, and so is its REPLY", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", service, "hello");
  const [empty, header, command, address = "", delimiter, ...body] = await worker.next();
  assert.deepEqual([empty, header, command], ["", "MDPW01", "\x02"]);
  assert.deepEqual([delimiter, body], ["", ["hello"]]);
  await worker.says("", "MDPW01", "\x03", address, "", "world");
  await client.hears("", "MDPC01", service, "world");
});

test("7/MDP, MDP/Client: a REQ socket neither writes the empty frame nor sees it", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = new Peer(broker.endpoint, BYTES, new Request());
  for (const nth of ["1", "2", "3"]) {
    await client.says("MDPC01", service, nth);
    await worker.replies(await worker.isAsked(nth), nth, nth);
    await client.hears("MDPC01", service, nth, nth);
  }
});

test("7/MDP, MDP/Client: a body has many frames, of any bytes, both ways", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const body = ["MDPC01", "", "\x00", all, "\xc3\x28", "MDPW01", "\x05", "last"];
  await client.says("", "MDPC01", service, ...body);
  await worker.replies(await worker.isAsked(...body), ...body.toReversed());
  await client.hears("", "MDPC01", service, ...body.toReversed());
});

test("7/MDP, MDP/Client: a body may be empty frames alone, both ways", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  for (const body of [[""], ["", ""], ["", "", "x", "", ""]]) {
    await client.says("", "MDPC01", service, ...body);
    await worker.replies(await worker.isAsked(...body), ...body);
    await client.hears("", "MDPC01", service, ...body);
  }
});

test("7/MDP, MDP/Client: a body of a thousand frames arrives whole, both ways", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  const body = Array.from({ length: 1000 }, (_, nth) => String(nth));
  await client.says("", "MDPC01", service, ...body);
  await worker.replies(await worker.isAsked(...body), ...body);
  await client.hears("", "MDPC01", service, ...body);
});

test("7/MDP, MDP/Client: a body of 1 MiB arrives whole, both ways", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  const [question, answer] = [randomBytes(2 ** 20), randomBytes(2 ** 20)];
  await client.says("", "MDPC01", service, question);
  await worker.replies(await worker.isAsked(question), answer);
  await client.hears("", "MDPC01", service, answer);
});

test("7/MDP, MDP/Client: a service is the bytes of its name: after a NUL, beyond UTF-8, in either case", async () => {
  const name = someone();
  const services = ["", "\0a", "\0b", "\xff", "\xfe", "\xc3\xbf", " ", "X", "x"].map(
    (end) => name + end,
  );
  using client = broker.client();
  const workers = await Promise.all(services.map((service) => broker.worker(service)));
  for (const [nth, service] of services.entries()) {
    const worker = workers[nth] as Peer;
    await echo(client, worker, service);
    await worker.hearsNothing();
  }
  for (const worker of workers) worker[Symbol.dispose]();
});

test("7/MDP, MDP/Client: a service may be named by 255 bytes, and by one", async () => {
  using client = broker.client();
  for (const service of [someone().padEnd(255, "\xf0"), "\x01"]) {
    using worker = await broker.worker(service);
    await echo(client, worker, service);
  }
});

test("7/MDP, MDP/Client: a REQUEST for a service without workers waits for one", async () => {
  const service = someone();
  using client = broker.client();
  await client.says("", "MDPC01", service, "early");
  await client.hearsNothing();
  using worker = await broker.newcomer(service);
  await worker.replies(await worker.isAsked("early"), "late");
  await client.hears("", "MDPC01", service, "late");
});

test("7/MDP, MDP/Client: what waits for a worker keeps the order in which its client asked", async () => {
  const service = someone();
  using client = broker.client();
  for (const nth of ["1", "2", "3"]) await client.says("", "MDPC01", service, nth);
  await client.hearsNothing();
  using worker = await broker.newcomer(service);
  for (const nth of ["1", "2", "3"]) {
    await worker.replies(await worker.isAsked(nth), nth);
    await client.hears("", "MDPC01", service, nth);
  }
});

test("7/MDP, MDP/Client: services do not hold up one another", async () => {
  const service = someone();
  using waiting = broker.client();
  for (let nth = 0; nth < 100; nth += 1) await waiting.says("", "MDPC01", nobody(), "?");
  using worker = await broker.worker(service);
  await echo(waiting, worker, service);
});

test("7/MDP, MDP/Client: a REPLY goes to the client that asked, and to no other", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using one = broker.client();
  using other = broker.client();
  await one.says("", "MDPC01", service, "one");
  await worker.replies(await worker.isAsked("one"), "ONE");
  await one.hears("", "MDPC01", service, "ONE");
  await other.hearsNothing();
  await other.says("", "MDPC01", service, "other");
  await worker.replies(await worker.isAsked("other"), "OTHER");
  await other.hears("", "MDPC01", service, "OTHER");
  await one.hearsNothing();
});

test("7/MDP, Overall Topology: one client's many requests do not hold up another's one", async () => {
  const service = someone();
  using greedy = broker.client();
  using modest = broker.client();
  for (let nth = 0; nth < 50; nth += 1) await greedy.says("", "MDPC01", service, "greedy");
  await greedy.hearsNothing();
  await modest.says("", "MDPC01", service, "modest");
  await modest.hearsNothing();
  using worker = await broker.newcomer(service);
  const served: string[] = [];
  while (!served.includes("modest")) {
    const { client, body } = await worker.request();
    served.push(...body);
    await worker.replies(client, "done");
  }
  assert.ok(served.length <= 2, `it came after ${served.length - 1} of the other's`);
  await modest.hears("", "MDPC01", service, "done");
});

test("7/MDP, Overall Topology: three clients have their turns, whatever each has asked for", async () => {
  const service = someone();
  using one = broker.client();
  using two = broker.client();
  using three = broker.client();
  for (const [name, client] of [
    ["1", one],
    ["2", two],
    ["3", three],
  ] as const) {
    for (let nth = 0; nth < 4; nth += 1) await client.says("", "MDPC01", service, name);
    await client.hearsNothing();
  }
  using worker = await broker.newcomer(service);
  const served: string[] = [];
  for (let nth = 0; nth < 12; nth += 1) {
    const { client, body } = await worker.request();
    served.push(...body);
    await worker.replies(client, "done");
  }
  for (const round of [0, 3, 6, 9]) {
    assert.deepEqual(served.slice(round, round + 3).sort(), ["1", "2", "3"], served.join(""));
  }
});

test("7/MDP, MDP/Client: a client whose name is its own choice is served like any other", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  for (const routingId of ["client", "\x01", "mmi.service", "x".repeat(255)]) {
    using client = new Peer(broker.endpoint, BYTES, new Dealer({ routingId }));
    await client.says("", "MDPC01", service, "hello");
    assert.equal(await worker.isAsked("hello"), routingId);
    await worker.replies(routingId, "world");
    await client.hears("", "MDPC01", service, "world");
  }
});

test("Ours: what a client that went away had asked for is not done any more", async () => {
  const service = someone();
  using staying = broker.client();
  {
    using leaving = broker.client();
    await leaving.says("", "MDPC01", service, "nobody waits");
    await leaving.hearsNothing();
  }
  await broker.forgets(service);
  await staying.says("", "MDPC01", service, "somebody waits");
  using worker = await broker.newcomer(service);
  await worker.replies(await worker.isAsked("somebody waits"), "here");
  await staying.hears("", "MDPC01", service, "here");
});

test("it was one broker all the while, and it has nothing left over", () => broker.endsWell());
