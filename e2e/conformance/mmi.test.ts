// 8/MMI: the management services of the broker, and our own ones among them.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Request } from "zeromq";
import { BrokerUnderTest, echo } from "./broker-under-test.ts";
import { DIALECTS, RawPeer, uniqueName, unservedName, V01 } from "./raw-peer.ts";

const broker = await BrokerUnderTest.start();
after(() => broker.stop());

test("MMI-04 service without workers: 404", async () => {
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.service", unservedName());
  await client.receives("", "MDPC01", "mmi.service", "404");
});

test("MMI-03 service with one worker: 200, and 404 once it has left", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.service", service);
  await client.receives("", "MDPC01", "mmi.service", "200");
  await worker.sends("", "MDPW01", "\x05");
  await worker.receivesNothing();
  await client.sends("", "MDPC01", "mmi.service", service);
  await client.receives("", "MDPC01", "mmi.service", "404");
});

test("MMI-03 service with one busy worker: 200", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "job");
  const address = await worker.receivesRequest("job");
  await client.findsService(service, "200");
  await worker.sendsReply(address, "done");
  await client.receives("", "MDPC01", service, "done");
});

test("MMI-03 service with two workers: 200 until both have left", async () => {
  const service = uniqueName();
  using one = await broker.registeredWorker(service);
  using two = await broker.registeredWorker(service);
  await one.sends("", "MDPW01", "\x05");
  await one.findsService(service, "200");
  await two.sends("", "MDPW01", "\x05");
  await two.findsService(service, "404");
});

test("MMI-04 service with queued requests only: 404", async () => {
  const service = uniqueName();
  using client = broker.client();
  await client.sends("", "MDPC01", service, "is anybody there");
  await client.findsService(service, "404");
});

test("MMI-05 names that differ in their last bytes: different services", async () => {
  const service = `${uniqueName()}\0\xff`;
  using worker = await broker.registeredWorker(service);
  await worker.findsService(service.slice(0, -1), "404");
  await worker.findsService(service.slice(0, -2), "404");
  await worker.findsService(`${service.slice(0, -1)}\xfe`, "404");
  await worker.findsService(service, "200");
});

test("MMI-07 mmi.service from a REQ socket: answered", async () => {
  using client = new RawPeer(broker.endpoint, V01, new Request());
  await client.sends("MDPC01", "mmi.service", unservedName());
  await client.receives("MDPC01", "mmi.service", "404");
});

for (const name of [
  "mmi.",
  "mmi.unknown",
  "mmi.Service",
  "mmi.service ",
  "mmi.servic",
  "mmi.\xff",
]) {
  test(`MMI-06 ${Buffer.from(name, "latin1").toString()}: 501`, async () => {
    using client = broker.client();
    await client.sends("", "MDPC01", name, "echo");
    await client.receives("", "MDPC01", name, "501");
  });
}

for (const dialect of DIALECTS) {
  test(`MMI-02 READY for names that start with mmi., dialect ${dialect.name}: DISCONNECT`, async () => {
    for (const name of ["mmi.service", "mmi.call", "mmi.", `mmi.${uniqueName()}`]) {
      using worker = new RawPeer(broker.endpoint, dialect);
      await worker.sendsCommand("READY", name);
      await worker.receivesDisconnect();
      await worker.receivesNothing();
    }
  });
}

test("MMI-01 names that resemble mmi.: services like any other", async () => {
  using client = broker.client();
  for (const name of [
    "mmi",
    "mmi-",
    "MMI.service",
    " mmi.service",
    "mmj.service",
    "x.mmi.service",
  ]) {
    const service = name + (name.includes("service") || name === "mmi" ? "" : uniqueName());
    using worker = await broker.registeredWorker(service);
    await echo(client, worker, service);
  }
});

test("MMI-08 mmi.service for a capability: 200; for other mmi. names, also services of the broker: 404", async () => {
  using client = broker.client();
  for (const name of ["call", "call.headers", "call.progress", "ready"])
    await client.findsService(`mmi.${name}`, "200");
  for (const name of ["", "unknown", "calls", "Call", "service", "services", "workers", "stats"])
    await client.findsService(`mmi.${name}`, "404");
});

test("X-STATS mmi.services, mmi.workers and mmi.stats: JSON", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  const [services, workers, stats] = [
    await management(client, "mmi.services"),
    await management(client, "mmi.workers"),
    await management(client, "mmi.stats"),
  ];
  assert.ok(services.some((one: { service: string }) => one.service === service));
  assert.equal(workers.filter((one: { service: string }) => one.service === service).length, 1);
  assert.ok(stats.workers >= 1);
  await worker.receivesNothing();
});

test("X-STATS five requests answered: mmi.stats counts them", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  const before = await management(client, "mmi.stats");
  for (let nth = 0; nth < 5; nth += 1) await echo(client, worker, service);
  await client.sends("", "MDPC01", service, "job");
  const address = await worker.receivesRequest("job");
  await client.sends("", "MDPC01", service, "later");
  const after = await management(client, "mmi.stats");
  assert.equal(after.answered - before.answered, 5);
  assert.deepEqual([after.inFlight, after.queued], [1, 1]);
  await worker.sendsReply(address, "done");
  await worker.sendsReply(await worker.receivesRequest("later"), "done");
  for (let nth = 0; nth < 2; nth += 1) await client.receives("", "MDPC01", service, "done");
});

async function management(client: RawPeer, name: string) {
  await client.sends("", "MDPC01", name, "");
  const [empty, header, service, code, json = ""] = await client.next();
  assert.deepEqual([empty, header, service, code], ["", "MDPC01", name, "200"]);
  return JSON.parse(json);
}

test("X-STATS end of the run: one broker process, counters add up, nothing left over", () =>
  broker.endsClean());
