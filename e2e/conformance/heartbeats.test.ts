// 7/MDP and 18/MDP, Heartbeating: heartbeats at the interval, and workers that send none. These tests
// wait for intervals and leases, so they run at the same time.

import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { BrokerUnderTest, echo } from "./broker-under-test.ts";
import { DIALECTS, type RawPeer, same, uniqueName, V02 } from "./raw-peer.ts";

const broker = await BrokerUnderTest.start(300);
const { intervalMs, leaseMs } = broker;
const SENDS_HEARTBEAT = { "0.1": "MDP1-B-34", text: "X-TEXT", "0.2": "MDP2-B-20" };
const TAKES_HEARTBEAT = { "0.1": "MDP1-B-38", text: "X-TEXT", "0.2": "MDP2-B-21" };
after(() => broker.stop());

suite("heartbeats", { concurrency: true }, () => {
  for (const dialect of DIALECTS) {
    test(`${SENDS_HEARTBEAT[dialect.name]} idle worker of ${dialect.name}: HEARTBEAT at the interval`, async () => {
      using worker = await broker.registeredWorker(uniqueName(), dialect);
      using _ = broker.sendingHeartbeats(worker);
      await receivesHeartbeats(worker);
    });
  }

  test("MDP1-B-34 busy worker: HEARTBEAT at the interval", async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service);
    using _ = broker.sendingHeartbeats(worker);
    using client = broker.client();
    await client.sends("", "MDPC01", service, "job");
    const address = await worker.receivesRequest("job");
    await receivesHeartbeats(worker);
    await worker.sendsReply(address, "done");
    await client.receives("", "MDPC01", service, "done");
  });

  test("MDP1-B-35 worker with frequent requests: no HEARTBEAT between them", async (t) => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service);
    using client = broker.client();
    // A try counts only if this process was not delayed for longer than the interval.
    for (let tries = 0; tries < 10; tries += 1) {
      const received: string[][] = [];
      let slowest = 0;
      for (let nth = 0; nth < 20; nth += 1) {
        const began = performance.now();
        await client.sends("", "MDPC01", service, "?");
        const frames = await worker.receivesAny();
        received.push(frames);
        const request = same(frames.slice(0, 3), ["", "MDPW01", "\x02"]);
        await worker.sendsReply(
          request ? (frames[3] ?? "") : await worker.receivesRequest("?"),
          "!",
        );
        await client.receives("", "MDPC01", service, "!");
        await setTimeout(intervalMs / 4);
        slowest = Math.max(slowest, performance.now() - began);
      }
      if (slowest > intervalMs * 0.9) continue;
      return assert.deepEqual(
        received.slice(1).filter(([, , command]) => command !== "\x02"),
        [],
      );
    }
    t.skip("the machine is too busy: each try was delayed");
  });

  test("MDP1-B-36 worker silent for liveness × interval: removed, not before", async () => {
    const service = uniqueName();
    const began = performance.now();
    using worker = await broker.registeredWorker(service);
    await broker.untilService(service, "404");
    const silence = performance.now() - began;
    assert.ok(silence >= leaseMs, `removed after ${silence} ms`);
    await worker.receivesNothing();
  });

  test("MDP1-B-37 removed worker sends HEARTBEAT: DISCONNECT", async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service);
    await broker.untilService(service, "404");
    await worker.sendsCommand("HEARTBEAT");
    await worker.receivesDisconnect();
  });

  test("MDP1-B-37 worker removed for its silence: gets no request", async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service);
    using client = broker.client();
    await broker.untilService(service, "404");
    await client.sends("", "MDPC01", service, "job");
    await client.receivesNothing();
    await worker.receivesNothing();
    await broker.redelivers(client, service, "job");
  });

  test("MDP1-B-06 busy worker falls silent: its request is redelivered, the first reply is used", async () => {
    const service = uniqueName();
    using silent = await broker.registeredWorker(service);
    using client = broker.client();
    await client.sends("", "MDPC01", service, "job");
    const address = await silent.receivesRequest("job");
    using other = await broker.registeredWorker(service);
    using _ = broker.sendingHeartbeats(other);
    const again = await other.receivesRequest("job");
    await silent.sendsReply(address, "late");
    await silent.receivesDisconnect();
    await client.receives("", "MDPC01", service, "late");
    await other.sendsReply(again, "done");
    await client.receivesNothing();
  });

  test("MDP1-B-36 silent worker behind a live one: removed", async () => {
    const service = uniqueName();
    using live = await broker.registeredWorker(service);
    using _ = broker.sendingHeartbeats(live);
    using silent = await broker.registeredWorker(service);
    using client = broker.client();
    await setTimeout(leaseMs * 1.5);
    await silent.sendsCommand("HEARTBEAT");
    await silent.receivesDisconnect();
    for (let nth = 0; nth < 3; nth += 1) await echo(client, live, service);
  });

  for (const dialect of DIALECTS) {
    test(`${TAKES_HEARTBEAT[dialect.name]} idle worker of ${dialect.name} sends HEARTBEAT for two leases: kept`, async () => {
      const service = uniqueName();
      using worker = await broker.registeredWorker(service, dialect);
      using _ = broker.sendingHeartbeats(worker);
      using client = broker.client();
      await setTimeout(leaseMs * 2);
      await echo(client, worker, service);
    });
  }

  test("MDP1-B-38 busy worker sends HEARTBEAT for two leases: keeps its request", async () => {
    const service = uniqueName();
    using busy = await broker.registeredWorker(service);
    using _ = broker.sendingHeartbeats(busy);
    using client = broker.client();
    await client.sends("", "MDPC01", service, "long job");
    const address = await busy.receivesRequest("long job");
    await setTimeout(leaseMs * 2);
    await busy.sendsReply(address, "done");
    await client.receives("", "MDPC01", service, "done");
    await busy.findsService(service, "200");
  });

  test("MDP1-B-38 worker sends REPLY and no HEARTBEAT for two leases: kept", async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service);
    using client = broker.client();
    const end = performance.now() + leaseMs * 2;
    while (performance.now() < end) {
      await echo(client, worker, service);
      await setTimeout(intervalMs / 2);
    }
    await worker.findsService(service, "200");
  });

  test("MDP2-B-21 worker sends PARTIAL and no HEARTBEAT for two leases: keeps its request", async () => {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service, V02);
    using client = broker.client(V02);
    await client.sends("MDPC02", "\x01", service, "long job");
    const address = await worker.receivesRequest("long job");
    const end = performance.now() + leaseMs * 2;
    while (performance.now() < end) {
      await worker.sends("MDPW02", "\x03", address, "", "more");
      await client.receives("MDPC02", "\x02", service, "more");
      await setTimeout(intervalMs / 2);
    }
    await worker.sends("MDPW02", "\x04", address, "", "done");
    await client.receives("MDPC02", "\x03", service, "done");
  });

  test("MDP1-B-39 a hundred HEARTBEATs from a worker: no response", async () => {
    using worker = await broker.registeredWorker(uniqueName());
    for (let nth = 0; nth < 100; nth += 1) await worker.sendsCommand("HEARTBEAT");
    let heartbeats = -1;
    const began = performance.now();
    await worker.sends("", "MDPC01", "mmi.service", "anything");
    for (let header = "MDPW01"; header === "MDPW01"; heartbeats += 1) {
      header = (await worker.receivesAny())[1] ?? "";
    }
    const due = 1 + (performance.now() - began) / intervalMs;
    assert.ok(heartbeats <= due, `${heartbeats} HEARTBEATs`);
  });

  test("MDP1-B-40 client connected for two intervals: no HEARTBEAT", async () => {
    using client = broker.client();
    await client.sends("", "MDPC01", "mmi.service", "anything");
    await client.receives("", "MDPC01", "mmi.service", "404");
    await setTimeout(intervalMs * 2);
    await client.sends("", "MDPC01", "mmi.service", "anything");
    assert.deepEqual(await client.receivesAny(), ["", "MDPC01", "mmi.service", "404"]);
  });
});

/** Asserts that four more HEARTBEATs arrive, about one per interval. */
async function receivesHeartbeats(worker: RawPeer) {
  const { start, HEARTBEAT } = worker.dialect;
  const received: number[] = [];
  while (received.length < 5) {
    assert.deepEqual(await worker.receivesAny(), [...start, HEARTBEAT]);
    received.push(performance.now());
  }
  const [first = 0] = received;
  const mean = ((received.at(-1) ?? 0) - first) / 4;
  // The bounds leave room for the broker's tick, and for a busy machine.
  assert.ok(mean > intervalMs / 2 && mean < intervalMs * 2, `one per ${mean} ms`);
}

test("X-STATS end of the run: one broker process, counters add up, nothing left over", () =>
  broker.endsClean());
