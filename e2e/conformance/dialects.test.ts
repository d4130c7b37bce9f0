// The broker translates: any client reaches any worker. For a client of MDP 0.1 it collects the parts
// of a stream into one REPLY. The outcome of a stream that breaks off is an extension.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { BrokerUnderTest } from "./broker-under-test.ts";
import { DIALECTS, legible, type RawPeer, uniqueName, V01, V02 } from "./raw-peer.ts";

const MESSAGE_BYTES_MAX = 2 ** 20;
const broker = await BrokerUnderTest.start(2500, {
  MDP_MESSAGE_BYTES_MAX: String(MESSAGE_BYTES_MAX),
});
after(() => broker.stop());

for (const clientDialect of [V01, V02]) {
  for (const workerDialect of DIALECTS) {
    test(`X-STREAM client of ${clientDialect.name}, worker of ${workerDialect.name}: served`, async () => {
      const service = uniqueName();
      for (const credit of [[], ["2"]]) {
        using worker = await broker.registeredWorker(service, workerDialect, ...credit);
        using client = broker.client(clientDialect);
        await client.sends(...clientDialect.requestStart, service, "hello", "", "there");
        await worker.sendsReply(
          await worker.receivesRequest("hello", "", "there"),
          "world",
          "",
          "here",
        );
        await client.receives(...clientDialect.replyStart, service, "world", "", "here");
        await worker.sendsCommand("DISCONNECT");
        await worker.findsService(service, "404");
      }
    });
  }
}

for (const registered of DIALECTS) {
  for (const spoken of DIALECTS) {
    if (spoken === registered) continue;
    test(`MDP2-B-02 worker of ${registered.name} sends ${spoken.name}: DISCONNECT in ${registered.name}, removed`, async () => {
      for (const [command, ...frames] of [
        ["READY", "service"],
        ["HEARTBEAT"],
        ["REPLY", "client", "", "body"],
        ["REQUEST", "client", "", "body"],
      ] as const) {
        const service = uniqueName();
        using worker = await broker.registeredWorker(service, registered);
        await worker.sends(...spoken.start, spoken[command], ...frames);
        await worker.receivesDisconnect();
        await worker.findsService(service, "404");
      }
    });
  }
}

test("MDP2-B-02 busy worker changes its dialect: its request is redelivered", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "job");
  const address = await worker.receivesRequest("job");
  await worker.sends("", "MDPW01", "\x03", address, "", "in another dialect");
  await worker.receivesDisconnect();
  await client.receivesNothing();
  await broker.redelivers(client, service, "job");
});

for (const dialect of DIALECTS) {
  test(`MDP2-B-02 unknown worker sends ${dialect.name}: DISCONNECT in ${dialect.name}`, async () => {
    for (const spoken of DIALECTS.filter(({ start }) => start[0] === dialect.start[0])) {
      using unknown = broker.client(dialect);
      await unknown.sends(...spoken.start, spoken.HEARTBEAT);
      await unknown.receives(...spoken.start, spoken.DISCONNECT);
      await unknown.receivesNothing();
    }
  });
}

test("X-STREAM client of 0.1, worker that streams: one REPLY with all frames in order", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client();
  for (const envelope of [[], ["7"]]) {
    await client.sends(...envelope, "", "MDPC01", service, "count");
    const address = await worker.receivesRequest("count");
    await worker.sends("MDPW02", "\x03", address, "", "1", "");
    await worker.sends("MDPW02", "\x03", address, "", "");
    await worker.sends("MDPW02", "\x03", address, "", "2", "3");
    await worker.receivesNothing();
    await client.receivesNothing();
    await worker.sends("MDPW02", "\x04", address, "", "4");
    await client.receives(...envelope, "", "MDPC01", service, "1", "", "", "2", "3", "4");
  }
});

test("X-STREAM client of 0.1, stream that ends with an error: the error reply alone", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "count");
  const address = await worker.receivesRequest("count");
  await worker.sends("MDPW02", "\x03", address, "", "1");
  await worker.sends("MDPW02", "\x04", address, "", "it broke", "mmi.error", "500");
  await client.receives("", "MDPC01", service, "it broke", "mmi.error", "500");
});

test("X-STREAM client of 0.2, stream that ends with an error: PARTIALs, then the error as FINAL", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client(V02);
  await client.sends("MDPC02", "\x01", service, "count");
  const address = await worker.receivesRequest("count");
  await worker.sends("MDPW02", "\x03", address, "", "1");
  await worker.sends("MDPW02", "\x04", address, "", "it broke", "mmi.error", "500");
  await client.receives("MDPC02", "\x02", service, "1");
  await client.receives("MDPC02", "\x03", service, "it broke", "mmi.error", "500");
});

test("X-CALL client of 0.2: each part is a PARTIAL with 206, the FINAL has the status", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client(V02);
  for (const [status, ...last] of [
    ["200", "end"],
    ["409", "it broke", "mmi.error", "409"],
  ] as const) {
    await client.sends("MDPC02", "\x01", "mmi.call", service, "", "count");
    const address = await worker.receivesRequest("count");
    await worker.sends("MDPW02", "\x03", address, "", "1", "");
    await worker.sends("MDPW02", "\x03", address, "", "2");
    await worker.sends("MDPW02", "\x04", address, "", ...last);
    await client.receives("MDPC02", "\x02", "mmi.call", "206", "1", "");
    await client.receives("MDPC02", "\x02", "mmi.call", "206", "2");
    await client.receives("MDPC02", "\x03", "mmi.call", status, ...last);
  }
});

test("X-CALL client of 0.1, worker that streams: one status, then all frames in order", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.call", service, "", "count");
  const address = await worker.receivesRequest("count");
  await worker.sends("MDPW02", "\x03", address, "", "1");
  await worker.sends("MDPW02", "\x04", address, "", "2");
  await client.receives("", "MDPC01", "mmi.call", "200", "1", "2");
});

test("X-CALL client of 0.2, call rejected: a FINAL with the status", async () => {
  using client = broker.client(V02);
  await client.sends("MDPC02", "\x01", "mmi.call", uniqueName(), '{"ttl":50}', "hello");
  await refused(client, "404");
  await client.sends("MDPC02", "\x01", "mmi.call", uniqueName(), "{", "hello");
  await refused(client, "400");
});

const DEATHS: [string, (worker: RawPeer) => void | Promise<void>][] = [
  ["died", (worker) => worker[Symbol.dispose]()],
  ["left", (worker) => worker.sendsCommand("DISCONNECT")],
  ["was rejected", (worker) => worker.sendsCommand("READY", "again")],
  ["sent an invalid message", (worker) => worker.sends("MDPW02", "\x03")],
];
for (const [what, ends] of DEATHS) {
  test(`X-STREAM worker that ${what} after a PARTIAL, client of 0.2: 504, not redelivered`, async () => {
    for (const call of [false, true]) {
      const service = uniqueName();
      const worker = await broker.registeredWorker(service, V02);
      using client = broker.client(V02);
      const asked = call ? ["mmi.call", service, "", "job"] : [service, "job"];
      await client.sends("MDPC02", "\x01", ...asked);
      await worker.sends("MDPW02", "\x03", await worker.receivesRequest("job"), "", "part");
      await client.receives("MDPC02", "\x02", ...(call ? ["mmi.call", "206"] : [service]), "part");
      await ends(worker);
      if (call) await refused(client, "504");
      else await receivesError(client, service, "504");
      using other = await broker.newWorker(service, V02);
      await other.receivesNothing();
      worker[Symbol.dispose]();
    }
  });

  test(`X-STREAM worker that ${what} after a PARTIAL, client of 0.1: redelivered from the start`, async () => {
    const service = uniqueName();
    const worker = await broker.registeredWorker(service, V02);
    using client = broker.client();
    await client.sends("", "MDPC01", service, "job");
    const address = await worker.receivesRequest("job");
    await worker.sends("MDPW02", "\x03", address, "", "part of the first");
    await worker.receivesNothing();
    await ends(worker);
    using other = await broker.newWorker(service, V02);
    const again = await other.receivesRequest("job");
    await other.sends("MDPW02", "\x03", again, "", "part");
    await other.sends("MDPW02", "\x04", again, "", "end");
    await client.receives("", "MDPC01", service, "part", "end");
    worker[Symbol.dispose]();
  });
}

test("X-CALL stream sent again in mid-stream: the parts that were missed, then the rest", async () => {
  const service = uniqueName();
  const options = JSON.stringify({ id: uniqueName("id-of-16-bytes") });
  using worker = await broker.registeredWorker(service, V02);
  using one = broker.client(V02);
  using two = broker.client(V02);
  await one.sends("MDPC02", "\x01", "mmi.call", service, options, "count");
  const address = await worker.receivesRequest("count");
  await worker.sends("MDPW02", "\x03", address, "", "1");
  await worker.sends("MDPW02", "\x03", address, "", "2");
  for (const part of ["1", "2"]) await one.receives("MDPC02", "\x02", "mmi.call", "206", part);
  await two.sends("7", "MDPC02", "\x01", "mmi.call", service, options, "count");
  await two.receives("7", "MDPC02", "\x02", "mmi.call", "206", "1", "2");
  await worker.sends("MDPW02", "\x04", address, "", "3");
  await two.receives("7", "MDPC02", "\x03", "mmi.call", "200", "3");
  await one.receivesNothing();
  await one.sends("MDPC02", "\x01", "mmi.call", service, options, "count");
  await one.receives("MDPC02", "\x03", "mmi.call", "200", "1", "2", "3");
  await worker.receivesNothing();
});

test("X-CALL ttl over in mid-stream: 408, later parts are dropped", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client(V02);
  await client.sends("MDPC02", "\x01", "mmi.call", service, '{"ttl":300}', "job");
  const address = await worker.receivesRequest("job");
  await worker.sends("MDPW02", "\x03", address, "", "part");
  await client.receives("MDPC02", "\x02", "mmi.call", "206", "part");
  await refused(client, "408");
  await worker.sends("MDPW02", "\x03", address, "", "late part");
  await worker.sends("MDPW02", "\x04", address, "", "late end");
  await worker.findsService(service, "200");
  await client.receivesNothing();
});

test("X-LIMITS collected parts larger than a message may be: 500 for a call", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has bounds of its own");
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client();
  await client.sends("", "MDPC01", "mmi.call", service, "", "much");
  await streamsTooMuch(worker);
  const frames = await client.next();
  assert.deepEqual(legible(frames.slice(0, 4)), ["", "MDPC01", "mmi.call", "500"]);
});

test("X-LIMITS collected parts larger than a message may be: nothing for a plain client", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has bounds of its own");
  const service = uniqueName();
  using worker = await broker.registeredWorker(service, V02);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "much");
  await streamsTooMuch(worker);
  await client.receivesNothing();
});

async function streamsTooMuch(worker: RawPeer) {
  const address = await worker.receivesRequest("much");
  for (let nth = 0; nth < 3; nth += 1) {
    await worker.sends("MDPW02", "\x03", address, "", Buffer.alloc(MESSAGE_BYTES_MAX / 2));
  }
  await worker.sends("MDPW02", "\x04", address, "", "end");
  await worker.receivesNothing();
}

/** Asserts that a call ends with a FINAL of a status and the broker's reason. */
async function refused(client: RawPeer, status: string) {
  const [header, command, name, code, sentence = "", ...more] = await client.next();
  assert.deepEqual([header, command, name, code], ["MDPC02", "\x03", "mmi.call", status]);
  assert.ok(sentence.length > 5, "no sentence");
  assert.deepEqual(more, []);
}

/** Asserts that a plain request ends with a FINAL that is an error reply. */
async function receivesError(client: RawPeer, service: string, code: string) {
  const [header, command, name, sentence = "", ...more] = await client.next();
  assert.deepEqual([header, command, name], ["MDPC02", "\x03", service]);
  assert.ok(sentence.length > 5, "no sentence");
  assert.deepEqual(more, ["mmi.error", code]);
}

test("X-STATS end of the run: one broker process, counters add up, nothing left over", () =>
  broker.endsClean());
