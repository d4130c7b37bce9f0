// 7/MDP and 18/MDP, Heartbeating: who is sent heartbeats, when, and what becomes of those who send
// none. These cases take the time that they are about, so they take it together.

import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { echo, Subject } from "./subject.ts";
import { DIALECTS, type Peer, same, someone, V02 } from "./wire.ts";

const broker = await Subject.start(300);
const { intervalMs, leaseMs } = broker;
after(() => broker.stop());

suite("heartbeats", { concurrency: true }, () => {
  for (const dialect of DIALECTS) {
    test(`7/MDP, Heartbeating: an idle worker is sent HEARTBEAT at the interval: ${dialect.name}`, async () => {
      using worker = await broker.worker(someone(), dialect);
      using _ = broker.beating(worker);
      await hearsHeartbeats(worker);
    });
  }

  test("7/MDP, Heartbeating: a busy worker is sent HEARTBEAT at the interval", async () => {
    const service = someone();
    using worker = await broker.worker(service);
    using _ = broker.beating(worker);
    using client = broker.client();
    await client.says("", "MDPC01", service, "job");
    const address = await worker.isAsked("job");
    await hearsHeartbeats(worker);
    await worker.replies(address, "done");
    await client.hears("", "MDPC01", service, "done");
  });

  test("7/MDP, Heartbeating: no HEARTBEAT is sent while other commands are", async (t) => {
    const service = someone();
    using worker = await broker.worker(service);
    using client = broker.client();
    // Only a time in which we ourselves were not held up proves anything.
    for (let tries = 0; tries < 10; tries += 1) {
      const heard: string[][] = [];
      let slowest = 0;
      for (let nth = 0; nth < 20; nth += 1) {
        const began = performance.now();
        await client.says("", "MDPC01", service, "?");
        const frames = await worker.hearsAny();
        heard.push(frames);
        const request = same(frames.slice(0, 3), ["", "MDPW01", "\x02"]);
        await worker.replies(request ? (frames[3] ?? "") : await worker.isAsked("?"), "!");
        await client.hears("", "MDPC01", service, "!");
        await setTimeout(intervalMs / 4);
        slowest = Math.max(slowest, performance.now() - began);
      }
      if (slowest > intervalMs * 0.9) continue;
      return assert.deepEqual(
        heard.slice(1).filter(([, , command]) => command !== "\x02"),
        [],
      );
    }
    t.skip("this machine is too busy to tell");
  });

  test("7/MDP, Heartbeating: a silent worker is removed after liveness × interval, not before", async () => {
    const service = someone();
    const began = performance.now();
    using worker = await broker.worker(service);
    await broker.learns(service, "404");
    const silence = performance.now() - began;
    assert.ok(silence >= leaseMs, `removed after ${silence} ms`);
    await worker.hearsNothing();
  });

  test("7/MDP, Heartbeating: a worker that was silent for too long is told DISCONNECT when it speaks", async () => {
    const service = someone();
    using worker = await broker.worker(service);
    await broker.learns(service, "404");
    await worker.commands("HEARTBEAT");
    await worker.isDisconnected();
  });

  test("7/MDP, Heartbeating: a worker that was silent for too long is given nothing more", async () => {
    const service = someone();
    using worker = await broker.worker(service);
    using client = broker.client();
    await broker.learns(service, "404");
    await client.says("", "MDPC01", service, "job");
    await client.hearsNothing();
    await worker.hearsNothing();
    await broker.givesToAnother(client, service, "job");
  });

  test("7/MDP, Heartbeating: what a busy worker had that went silent is given to another", async () => {
    const service = someone();
    using silent = await broker.worker(service);
    using client = broker.client();
    await client.says("", "MDPC01", service, "job");
    const address = await silent.isAsked("job");
    using other = await broker.worker(service);
    using _ = broker.beating(other);
    const again = await other.isAsked("job");
    await silent.replies(address, "late");
    await silent.isDisconnected();
    await other.replies(again, "done");
    await client.hears("", "MDPC01", service, "done");
    await client.hearsNothing();
  });

  test("7/MDP, Heartbeating: a silent worker behind a live one is removed too", async () => {
    const service = someone();
    using live = await broker.worker(service);
    using _ = broker.beating(live);
    using silent = await broker.worker(service);
    using client = broker.client();
    await setTimeout(leaseMs * 1.5);
    await silent.commands("HEARTBEAT");
    await silent.isDisconnected();
    for (let nth = 0; nth < 3; nth += 1) await echo(client, live, service);
  });

  for (const dialect of DIALECTS) {
    test(`7/MDP, Heartbeating: HEARTBEAT keeps an idle worker: ${dialect.name}`, async () => {
      const service = someone();
      using worker = await broker.worker(service, dialect);
      using _ = broker.beating(worker);
      using client = broker.client();
      await setTimeout(leaseMs * 2);
      await echo(client, worker, service);
    });
  }

  test("7/MDP, Heartbeating: HEARTBEAT keeps a busy worker its request", async () => {
    const service = someone();
    using busy = await broker.worker(service);
    using _ = broker.beating(busy);
    using client = broker.client();
    await client.says("", "MDPC01", service, "long job");
    const address = await busy.isAsked("long job");
    await setTimeout(leaseMs * 2);
    await busy.replies(address, "done");
    await client.hears("", "MDPC01", service, "done");
    await busy.learns(service, "200");
  });

  test("7/MDP, Heartbeating: REPLY is a sign of life like HEARTBEAT", async () => {
    const service = someone();
    using worker = await broker.worker(service);
    using client = broker.client();
    const end = performance.now() + leaseMs * 2;
    while (performance.now() < end) {
      await echo(client, worker, service);
      await setTimeout(intervalMs / 2);
    }
    await worker.learns(service, "200");
  });

  test("18/MDP, Heartbeating: PARTIAL is a sign of life like HEARTBEAT", async () => {
    const service = someone();
    using worker = await broker.worker(service, V02);
    using client = broker.client(V02);
    await client.says("MDPC02", "\x01", service, "long job");
    const address = await worker.isAsked("long job");
    const end = performance.now() + leaseMs * 2;
    while (performance.now() < end) {
      await worker.says("MDPW02", "\x03", address, "", "more");
      await client.hears("MDPC02", "\x02", service, "more");
      await setTimeout(intervalMs / 2);
    }
    await worker.says("MDPW02", "\x04", address, "", "done");
    await client.hears("MDPC02", "\x03", service, "done");
  });

  test("7/MDP, Heartbeating: HEARTBEAT is not answered", async () => {
    using worker = await broker.worker(someone());
    for (let nth = 0; nth < 100; nth += 1) await worker.commands("HEARTBEAT");
    let heartbeats = -1;
    const began = performance.now();
    await worker.says("", "MDPC01", "mmi.service", "anything");
    for (let header = "MDPW01"; header === "MDPW01"; heartbeats += 1) {
      header = (await worker.hearsAny())[1] ?? "";
    }
    const due = 1 + (performance.now() - began) / intervalMs;
    assert.ok(heartbeats <= due, `${heartbeats} of them`);
  });

  test("7/MDP, Heartbeating: a client is sent no HEARTBEAT", async () => {
    using client = broker.client();
    await client.says("", "MDPC01", "mmi.service", "anything");
    await client.hears("", "MDPC01", "mmi.service", "404");
    await setTimeout(intervalMs * 2);
    await client.says("", "MDPC01", "mmi.service", "anything");
    assert.deepEqual(await client.hearsAny(), ["", "MDPC01", "mmi.service", "404"]);
  });
});

/** Four of them, with about an interval between two. */
async function hearsHeartbeats(worker: Peer) {
  const { start, HEARTBEAT } = worker.dialect;
  const heard: number[] = [];
  while (heard.length < 5) {
    assert.deepEqual(await worker.hearsAny(), [...start, HEARTBEAT]);
    heard.push(performance.now());
  }
  const [first = 0] = heard;
  const mean = ((heard.at(-1) ?? 0) - first) / 4;
  // Of a busy machine too: the broker looks at the clock now and then, and we may be held up.
  assert.ok(mean > intervalMs / 2 && mean < intervalMs * 2, `one in ${mean} ms`);
}

test("it was one broker all the while, and it has nothing left over", () => broker.endsWell());
