// Invalid messages: the broker drops them, sends no response, and serves other peers. It removes a
// registered worker that sends one.

import { after, test } from "node:test";
import { Dealer } from "zeromq";
import { BrokerUnderTest, Bystanders, echo } from "./broker-under-test.ts";
import {
  DELIMITED_02,
  type Malformed,
  NOTHING,
  SUPERFLUOUS,
  TRUNCATED,
  WRONG_ADDRESSES,
  WRONG_COMMANDS,
  WRONG_CREDITS,
  WRONG_HEADERS,
  WRONG_NAMES,
} from "./malformed-messages.ts";
import { DIALECTS, RawPeer, uniqueName, V01, V02 } from "./raw-peer.ts";

const MESSAGE_BYTES_MAX = 2 ** 20;
const broker = await BrokerUnderTest.start(2500, {
  MDP_MESSAGE_BYTES_MAX: String(MESSAGE_BYTES_MAX),
});
const bystanders = await Bystanders.of(broker);
after(() => {
  bystanders[Symbol.dispose]();
  return broker.stop();
});

async function keepsServing() {
  await bystanders.undisturbed();
  await broker.serves();
}

async function isDropped([, ...frames]: Malformed) {
  using sender = broker.client();
  await sender.sends(...frames);
  await sender.receivesNothing();
  await keepsServing();
}

/** Is it a message, or half a message, of MDP 0.2? */
function isOf02(frames: string[]): boolean {
  return frames.some((frame) => frame === "MDPC02" || frame === "MDPW02");
}

async function removesWorker([, ...frames]: Malformed) {
  for (const dialect of DIALECTS) {
    const service = uniqueName();
    using worker = await broker.registeredWorker(service, dialect);
    await worker.sends(...frames);
    await worker.receivesDisconnect();
    await worker.findsService(service, "404");
  }
  await keepsServing();
}

for (const malformed of [...TRUNCATED, ...WRONG_COMMANDS, ...WRONG_HEADERS, ...NOTHING]) {
  const [what, ...frames] = malformed;
  test(`${isOf02(frames) ? "MDP2-B-17" : "MDP1-B-27"} ${what}: dropped`, () =>
    isDropped(malformed));
  test(`${isOf02(frames) ? "MDP2-B-18" : "MDP1-B-28"} ${what}, from a worker: removed`, () =>
    removesWorker(malformed));
}

for (const malformed of SUPERFLUOUS) {
  const [what, ...frames] = malformed;
  test(`${isOf02(frames) ? "MDP2-B-17" : "MDP1-B-18"} ${what}: dropped`, () =>
    isDropped(malformed));
  test(`${isOf02(frames) ? "MDP2-B-18" : "MDP1-B-28"} ${what}, from a worker: removed`, () =>
    removesWorker(malformed));
}

for (const malformed of WRONG_ADDRESSES) {
  const [what, ...frames] = malformed;
  test(`${isOf02(frames) ? "MDP2-B-17" : "MDP1-B-30"} ${what}: dropped`, () =>
    isDropped(malformed));
  test(`${isOf02(frames) ? "MDP2-B-18" : "MDP1-B-28"} ${what}, from a worker: removed`, () =>
    removesWorker(malformed));
}

for (const malformed of WRONG_NAMES) {
  test(`X-LIMITS ${malformed[0]}: dropped`, () => isDropped(malformed));
  test(`X-LIMITS ${malformed[0]}, from a worker: removed`, () => removesWorker(malformed));
}

for (const malformed of WRONG_CREDITS) {
  test(`X-CREDIT ${malformed[0]}: dropped, no worker registered`, () => isDropped(malformed));
  test(`X-CREDIT ${malformed[0]}, from a worker: removed`, () => removesWorker(malformed));
}

for (const malformed of DELIMITED_02) {
  test(`MDP2-B-10 ${malformed[0]}: dropped`, () => isDropped(malformed));
  test(`MDP2-B-10 ${malformed[0]}, from a worker: removed`, () => removesWorker(malformed));
}

test("MDP1-B-06 busy worker sends an invalid message: its request is redelivered", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "job");
  await worker.receivesRequest("job");
  await worker.sends("junk");
  await worker.receivesDisconnect();
  await broker.redelivers(client, service, "job");
  await keepsServing();
});

test("MDP1-B-27 peer that sent invalid messages sends a REQUEST: served", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  for (const [, ...frames] of [...TRUNCATED, ...WRONG_COMMANDS]) await client.sends(...frames);
  await echo(client, worker, service);
  await keepsServing();
});

test("MDP1-B-07 client sends a worker's HEARTBEAT: DISCONNECT, and still gets its REPLY", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = broker.client();
  await client.sends("", "MDPC01", service, "?");
  const address = await worker.receivesRequest("?");
  await client.sends("", "MDPW01", "\x04");
  await client.receives("", "MDPW01", "\x05");
  await client.sends("MDPW02", "\x05");
  await client.receives("MDPW02", "\x06");
  await worker.sendsReply(address, "!");
  await client.receives("", "MDPC01", service, "!");
  await keepsServing();
});

test("MDP1-B-27 socket with ZMQ_PROBE_ROUTER, which sends an empty message: served", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using client = new RawPeer(broker.endpoint, V01, new Dealer({ probeRouter: true }));
  await echo(client, worker, service);
  await keepsServing();
});

test("X-LIMITS frame over the limit: connection closed, other peers served", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has bounds of its own");
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  await worker.sends("", "MDPC01", service, Buffer.alloc(MESSAGE_BYTES_MAX + 1));
  await broker.untilService(service, "404");
  await keepsServing();
});

test("X-LIMITS message over the limit in frames below it: dropped", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has bounds of its own");
  const half = "x".repeat(MESSAGE_BYTES_MAX / 2);
  await isDropped(["too large", "", "MDPC01", uniqueName(), half, half]);
  await isDropped(["too large", "MDPC02", "\x01", uniqueName(), half, half]);
  await isDropped(["too large", "", "MDPW01", "\x01", half, half, half]);
});

test("MDP1-B-27 a hundred thousand invalid messages at once: dropped", async () => {
  using sender = broker.client();
  for (let nth = 0; nth < 100_000; nth += 1) await sender.sends("", "MDPC01");
  await sender.receivesNothing();
  await keepsServing();
});

test("MDP1-B-27 three thousand messages of random frames: other peers served", async () => {
  const random = seeded(20_260_101);
  const pick = <Thing>(things: Thing[]) => things[Math.floor(random() * things.length)] as Thing;
  const names = [uniqueName(), uniqueName(), "mmi.service", "mmi.call", "mmi.stats", "\xff", "\0"];
  const frames = [
    ...["", "MDPC01", "MDPC02", "MDPW01", "MDPW02", "MDPX01", "READY", "REPLY", "HEARTBEAT"],
    ...["\x01", "\x02", "\x03", "\x04", "\x05", "\x06", "7", "{}", '{"ttl":1}'],
    ...names,
  ];
  const starts = [[], [""], ["", "MDPC01"], ["MDPC02", "\x01"], ["", "MDPW01"], ["MDPW02"]];
  const peers = [V01, V01, V02, V02].map((dialect) => broker.client(dialect));
  for (let nth = 0; nth < 3000; nth += 1) {
    const rest = Array.from({ length: Math.floor(random() * 7) }, () => pick(frames));
    const message = [...pick(starts), ...rest];
    await pick(peers).sends(...(message.length > 0 ? message : [""]));
    if (nth % 500 === 499) await keepsServing();
  }
  for (const peer of peers) peer[Symbol.dispose]();
  await keepsServing();
});

/** Random numbers from 0 to 1, the same ones in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("X-STATS end of the run: one broker process, counters add up, nothing left over", async () => {
  await bystanders.undisturbed();
  bystanders[Symbol.dispose]();
  await broker.endsClean();
});
