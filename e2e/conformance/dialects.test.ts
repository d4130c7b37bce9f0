// Any client reaches any worker: the broker translates. What MDP/0.1 has no word for, a reply in
// parts, is gathered; what becomes of one that breaks off is ours.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Subject } from "./subject.ts";
import { BYTES, DIALECTS, legible, type Peer, someone, V02 } from "./wire.ts";

const MESSAGE_BYTES_MAX = 2 ** 20;
const broker = await Subject.start(2500, { MDP_MESSAGE_BYTES_MAX: String(MESSAGE_BYTES_MAX) });
after(() => broker.stop());

for (const asking of [BYTES, V02]) {
  for (const working of DIALECTS) {
    test(`18/MDP, MDP/Client: a client of ${asking.name} is served by a worker of ${working.name}`, async () => {
      const service = someone();
      for (const credit of [[], ["2"]]) {
        using worker = await broker.worker(service, working, ...credit);
        using client = broker.client(asking);
        await client.says(...asking.ask, service, "hello", "", "there");
        await worker.replies(await worker.isAsked("hello", "", "there"), "world", "", "here");
        await client.hears(...asking.answer, service, "world", "", "here");
        await worker.commands("DISCONNECT");
        await worker.learns(service, "404");
      }
    });
  }
}

for (const registered of DIALECTS) {
  for (const spoken of DIALECTS) {
    if (spoken === registered) continue;
    test(`18/MDP, MDP/Worker: a worker of ${registered.name} that speaks ${spoken.name} is told DISCONNECT in ${registered.name}`, async () => {
      for (const [command, ...frames] of [
        ["READY", "service"],
        ["HEARTBEAT"],
        ["REPLY", "client", "", "body"],
        ["REQUEST", "client", "", "body"],
      ] as const) {
        const service = someone();
        using worker = await broker.worker(service, registered);
        await worker.says(...spoken.start, spoken[command], ...frames);
        await worker.isDisconnected();
        await worker.learns(service, "404");
      }
    });
  }
}

test("18/MDP, MDP/Worker: what a worker had that changed its dialect is given to another", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client();
  await client.says("", "MDPC01", service, "job");
  const address = await worker.isAsked("job");
  await worker.says("", "MDPW01", "\x03", address, "", "in another dialect");
  await worker.isDisconnected();
  await client.hearsNothing();
  await broker.givesToAnother(client, service, "job");
});

for (const dialect of DIALECTS) {
  test(`18/MDP, MDP/Worker: an unknown worker is told DISCONNECT in the dialect that it spoke: ${dialect.name}`, async () => {
    for (const spoken of DIALECTS.filter(({ start }) => start[0] === dialect.start[0])) {
      using stranger = broker.client(dialect);
      await stranger.says(...spoken.start, spoken.HEARTBEAT);
      await stranger.hears(...spoken.start, spoken.DISCONNECT);
      await stranger.hearsNothing();
    }
  });
}

test("18/MDP, MDP/Client: to a client of 0.1 the parts are gathered into one REPLY, all frames in order", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client();
  for (const envelope of [[], ["7"]]) {
    await client.says(...envelope, "", "MDPC01", service, "count");
    const address = await worker.isAsked("count");
    await worker.says("MDPW02", "\x03", address, "", "1", "");
    await worker.says("MDPW02", "\x03", address, "", "");
    await worker.says("MDPW02", "\x03", address, "", "2", "3");
    await worker.hearsNothing();
    await client.hearsNothing();
    await worker.says("MDPW02", "\x04", address, "", "4");
    await client.hears(...envelope, "", "MDPC01", service, "1", "", "", "2", "3", "4");
  }
});

test("Ours: a stream that fails is to a client of 0.1 its failure alone", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client();
  await client.says("", "MDPC01", service, "count");
  const address = await worker.isAsked("count");
  await worker.says("MDPW02", "\x03", address, "", "1");
  await worker.says("MDPW02", "\x04", address, "", "it broke", "mmi.error", "500");
  await client.hears("", "MDPC01", service, "it broke", "mmi.error", "500");
});

test("Ours: a stream that fails is to a client of 0.2 its parts, and then the failure", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client(V02);
  await client.says("MDPC02", "\x01", service, "count");
  const address = await worker.isAsked("count");
  await worker.says("MDPW02", "\x03", address, "", "1");
  await worker.says("MDPW02", "\x04", address, "", "it broke", "mmi.error", "500");
  await client.hears("MDPC02", "\x02", service, "1");
  await client.hears("MDPC02", "\x03", service, "it broke", "mmi.error", "500");
});

test("Ours, mmi.call: to a client of 0.2 each part is a 206, and the end has the status", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client(V02);
  for (const [status, ...last] of [
    ["200", "end"],
    ["409", "it broke", "mmi.error", "409"],
  ] as const) {
    await client.says("MDPC02", "\x01", "mmi.call", service, "", "count");
    const address = await worker.isAsked("count");
    await worker.says("MDPW02", "\x03", address, "", "1", "");
    await worker.says("MDPW02", "\x03", address, "", "2");
    await worker.says("MDPW02", "\x04", address, "", ...last);
    await client.hears("MDPC02", "\x02", "mmi.call", "206", "1", "");
    await client.hears("MDPC02", "\x02", "mmi.call", "206", "2");
    await client.hears("MDPC02", "\x03", "mmi.call", status, ...last);
  }
});

test("Ours, mmi.call: to a client of 0.1 the parts are gathered after the one status", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.call", service, "", "count");
  const address = await worker.isAsked("count");
  await worker.says("MDPW02", "\x03", address, "", "1");
  await worker.says("MDPW02", "\x04", address, "", "2");
  await client.hears("", "MDPC01", "mmi.call", "200", "1", "2");
});

test("Ours, mmi.call: a refusal is a FINAL to a client of 0.2", async () => {
  using client = broker.client(V02);
  await client.says("MDPC02", "\x01", "mmi.call", someone(), '{"ttl":50}', "hello");
  await refused(client, "404");
  await client.says("MDPC02", "\x01", "mmi.call", someone(), "{", "hello");
  await refused(client, "400");
});

const DEATHS: [string, (worker: Peer) => void | Promise<void>][] = [
  ["died", (worker) => worker[Symbol.dispose]()],
  ["left", (worker) => worker.commands("DISCONNECT")],
  ["was rejected", (worker) => worker.commands("READY", "again")],
  ["sent what is invalid", (worker) => worker.says("MDPW02", "\x03")],
];
for (const [what, ends] of DEATHS) {
  test(`Ours, streams: a worker that ${what} after a part: a client of 0.2 is told 502, and a call too`, async () => {
    for (const call of [false, true]) {
      const service = someone();
      const worker = await broker.worker(service, V02);
      using client = broker.client(V02);
      const asked = call ? ["mmi.call", service, "", "job"] : [service, "job"];
      await client.says("MDPC02", "\x01", ...asked);
      await worker.says("MDPW02", "\x03", await worker.isAsked("job"), "", "part");
      await client.hears("MDPC02", "\x02", ...(call ? ["mmi.call", "206"] : [service]), "part");
      await ends(worker);
      if (call) await refused(client, "502");
      else await broken(client, service, "502");
      using other = await broker.newcomer(service, V02);
      await other.hearsNothing();
      worker[Symbol.dispose]();
    }
  });

  test(`Ours, streams: a worker that ${what} after a part that was only gathered: another is asked`, async () => {
    const service = someone();
    const worker = await broker.worker(service, V02);
    using client = broker.client();
    await client.says("", "MDPC01", service, "job");
    const address = await worker.isAsked("job");
    await worker.says("MDPW02", "\x03", address, "", "part of the first");
    await worker.hearsNothing();
    await ends(worker);
    using other = await broker.newcomer(service, V02);
    const again = await other.isAsked("job");
    await other.says("MDPW02", "\x03", again, "", "part");
    await other.says("MDPW02", "\x04", again, "", "end");
    await client.hears("", "MDPC01", service, "part", "end");
    worker[Symbol.dispose]();
  });
}

test("Ours, retries: who asks again in the middle of a stream has the parts that it missed, and the end", async () => {
  const service = someone();
  const options = JSON.stringify({ id: someone("id-of-16-bytes") });
  using worker = await broker.worker(service, V02);
  using one = broker.client(V02);
  using two = broker.client(V02);
  await one.says("MDPC02", "\x01", "mmi.call", service, options, "count");
  const address = await worker.isAsked("count");
  await worker.says("MDPW02", "\x03", address, "", "1");
  await worker.says("MDPW02", "\x03", address, "", "2");
  for (const part of ["1", "2"]) await one.hears("MDPC02", "\x02", "mmi.call", "206", part);
  await two.says("7", "MDPC02", "\x01", "mmi.call", service, options, "count");
  await two.hears("7", "MDPC02", "\x02", "mmi.call", "206", "1", "2");
  await worker.says("MDPW02", "\x04", address, "", "3");
  await two.hears("7", "MDPC02", "\x03", "mmi.call", "200", "3");
  await one.hearsNothing();
  await one.says("MDPC02", "\x01", "mmi.call", service, options, "count");
  await one.hears("MDPC02", "\x03", "mmi.call", "200", "1", "2", "3");
  await worker.hearsNothing();
});

test("Ours, streams: a call whose ttl passes after a part is told 408, and the parts that come then are dropped", async () => {
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client(V02);
  await client.says("MDPC02", "\x01", "mmi.call", service, '{"ttl":300}', "job");
  const address = await worker.isAsked("job");
  await worker.says("MDPW02", "\x03", address, "", "part");
  await client.hears("MDPC02", "\x02", "mmi.call", "206", "part");
  await refused(client, "408");
  await worker.says("MDPW02", "\x03", address, "", "late part");
  await worker.says("MDPW02", "\x04", address, "", "late end");
  await worker.learns(service, "200");
  await client.hearsNothing();
});

test("Ours, streams: what is gathered beyond the size of a message is 500 to a call", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has bounds of its own");
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client();
  await client.says("", "MDPC01", "mmi.call", service, "", "much");
  await tellsTooMuch(worker);
  const frames = await client.next();
  assert.deepEqual(legible(frames.slice(0, 4)), ["", "MDPC01", "mmi.call", "500"]);
});

test("Ours, streams: what is gathered beyond the size of a message is nothing to a plain client", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has bounds of its own");
  const service = someone();
  using worker = await broker.worker(service, V02);
  using client = broker.client();
  await client.says("", "MDPC01", service, "much");
  await tellsTooMuch(worker);
  await client.hearsNothing();
});

async function tellsTooMuch(worker: Peer) {
  const address = await worker.isAsked("much");
  for (let nth = 0; nth < 3; nth += 1) {
    await worker.says("MDPW02", "\x03", address, "", Buffer.alloc(MESSAGE_BYTES_MAX / 2));
  }
  await worker.says("MDPW02", "\x04", address, "", "end");
  await worker.hearsNothing();
}

/** A call's end that is not its reply: a FINAL of a status and a sentence. */
async function refused(client: Peer, status: string) {
  const [header, command, name, code, sentence = "", ...more] = await client.next();
  assert.deepEqual([header, command, name, code], ["MDPC02", "\x03", "mmi.call", status]);
  assert.ok(sentence.length > 5, "no sentence");
  assert.deepEqual(more, []);
}

/** A plain client's end that is not its reply: a FINAL that is a failure. */
async function broken(client: Peer, service: string, code: string) {
  const [header, command, name, sentence = "", ...more] = await client.next();
  assert.deepEqual([header, command, name], ["MDPC02", "\x03", service]);
  assert.ok(sentence.length > 5, "no sentence");
  assert.deepEqual(more, ["mmi.error", code]);
}

test("it was one broker all the while, and it has nothing left over", () => broker.endsWell());
