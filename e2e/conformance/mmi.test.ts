// 8/MMI: what the broker says of itself. What is ours among it says so.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Request } from "zeromq";
import { echo, Subject } from "./subject.ts";
import { BYTES, DIALECTS, nobody, Peer, someone } from "./wire.ts";

const broker = await Subject.start();
after(() => broker.stop());

test("8/MMI, Default services: mmi.service says 404 of a service without workers", async () => {
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.service", nobody());
  await client.hears("", "MDPC01", "mmi.service", "404");
});

test("8/MMI, Default services: mmi.service says 200 of a service with a worker, and 404 once it has left", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.service", service);
  await client.hears("", "MDPC01", "mmi.service", "200");
  await worker.says("", "MDPW01", "\x05");
  await worker.hearsNothing();
  await client.says("", "MDPC01", "mmi.service", service);
  await client.hears("", "MDPC01", "mmi.service", "404");
});

test("8/MMI, Default services: mmi.service says 200 of a service whose only worker is busy", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", service, "job");
  const address = await worker.isAsked("job");
  await client.learns(service, "200");
  await worker.replies(address, "done");
  await client.hears("", "MDPC01", service, "done");
});

test("8/MMI, Default services: mmi.service says 200 as long as one worker of two is left", async () => {
  const service = someone();
  using one = await broker.worker(service);
  using two = await broker.worker(service);
  await one.says("", "MDPW01", "\x05");
  await one.learns(service, "200");
  await two.says("", "MDPW01", "\x05");
  await two.learns(service, "404");
});

test("8/MMI, Default services: mmi.service says 404 of a service that is only asked for", async () => {
  const service = someone();
  using client = broker.client();
  await client.says("", "MDPC01", service, "is anybody there");
  await client.learns(service, "404");
});

test("8/MMI, Default services: mmi.service knows a service by all bytes of its name", async () => {
  const service = `${someone()}\0\xff`;
  using worker = await broker.worker(service);
  await worker.learns(service.slice(0, -1), "404");
  await worker.learns(service.slice(0, -2), "404");
  await worker.learns(`${service.slice(0, -1)}\xfe`, "404");
  await worker.learns(service, "200");
});

test("8/MMI, Default services: mmi.service answers a REQ socket", async () => {
  using client = new Peer(broker.endpoint, BYTES, new Request());
  await client.says("MDPC01", "mmi.service", nobody());
  await client.hears("MDPC01", "mmi.service", "404");
});

for (const name of [
  "mmi.",
  "mmi.unknown",
  "mmi.Service",
  "mmi.service ",
  "mmi.servic",
  "mmi.\xff",
]) {
  test(`8/MMI, Default services: any other name is answered 501: ${Buffer.from(name, "latin1").toString()}`, async () => {
    using client = broker.client();
    await client.says("", "MDPC01", name, "echo");
    await client.hears("", "MDPC01", name, "501");
  });
}

for (const dialect of DIALECTS) {
  test(`8/MMI, Namespace: READY for a name of the broker's is answered with DISCONNECT: ${dialect.name}`, async () => {
    for (const name of ["mmi.service", "mmi.call", "mmi.", `mmi.${someone()}`]) {
      using worker = new Peer(broker.endpoint, dialect);
      await worker.commands("READY", name);
      await worker.isDisconnected();
      await worker.hearsNothing();
    }
  });
}

test("8/MMI, Namespace: a name that only resembles the broker's is a service like any other", async () => {
  using client = broker.client();
  for (const name of [
    "mmi",
    "mmi-",
    "MMI.service",
    " mmi.service",
    "mmj.service",
    "x.mmi.service",
  ]) {
    const service = name + (name.includes("service") || name === "mmi" ? "" : someone());
    using worker = await broker.worker(service);
    await echo(client, worker, service);
  }
});

test("Ours: of the names that the broker provides mmi.service says 200, of others like them 404", async () => {
  using client = broker.client();
  for (const name of ["call", "service", "services", "workers", "stats"]) {
    await client.learns(`mmi.${name}`, "200");
  }
  for (const name of ["", "unknown", "calls", "Call"]) await client.learns(`mmi.${name}`, "404");
});

test("Ours: mmi.services, mmi.workers and mmi.stats are told in JSON", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  const [services, workers, stats] = [
    await told(client, "mmi.services"),
    await told(client, "mmi.workers"),
    await told(client, "mmi.stats"),
  ];
  assert.ok(services.some((one: { service: string }) => one.service === service));
  assert.equal(workers.filter((one: { service: string }) => one.service === service).length, 1);
  assert.ok(stats.workers >= 1);
  await worker.hearsNothing();
});

test("Ours: what goes over the wire adds up in mmi.stats", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  const before = await told(client, "mmi.stats");
  for (let nth = 0; nth < 5; nth += 1) await echo(client, worker, service);
  await client.says("", "MDPC01", service, "job");
  const address = await worker.isAsked("job");
  await client.says("", "MDPC01", service, "later");
  const after = await told(client, "mmi.stats");
  assert.equal(after.answered - before.answered, 5);
  assert.deepEqual([after.inFlight, after.queued], [1, 1]);
  await worker.replies(address, "done");
  await worker.replies(await worker.isAsked("later"), "done");
  for (let nth = 0; nth < 2; nth += 1) await client.hears("", "MDPC01", service, "done");
});

async function told(client: Peer, name: string) {
  await client.says("", "MDPC01", name, "");
  const [empty, header, service, code, json = ""] = await client.next();
  assert.deepEqual([empty, header, service, code], ["", "MDPC01", name, "200"]);
  return JSON.parse(json);
}

test("it was one broker all the while, and it has nothing left over", () => broker.endsWell());
