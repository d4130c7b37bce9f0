// What is not MDP is dropped: its sender is not answered, nobody else notices, and the broker goes
// on. A registered worker that sends it is not to be trusted, and removed.

import { after, test } from "node:test";
import { Dealer } from "zeromq";
import {
  type Malformed,
  NOTHING,
  SUPERFLUOUS,
  TRUNCATED,
  WRONG_ADDRESSES,
  WRONG_COMMANDS,
  WRONG_CREDITS,
  WRONG_HEADERS,
  WRONG_NAMES,
} from "./malformed.ts";
import { Bystanders, echo, Subject } from "./subject.ts";
import { BYTES, DIALECTS, Peer, someone, V02 } from "./wire.ts";

const MESSAGE_BYTES_MAX = 2 ** 20;
const broker = await Subject.start(2500, { MDP_MESSAGE_BYTES_MAX: String(MESSAGE_BYTES_MAX) });
const bystanders = await Bystanders.of(broker);
after(() => {
  bystanders[Symbol.dispose]();
  return broker.stop();
});

async function goesOn() {
  await bystanders.undisturbed();
  await broker.serves();
}

async function isDropped([, ...frames]: Malformed) {
  using stranger = broker.client();
  await stranger.says(...frames);
  await stranger.hearsNothing();
  await goesOn();
}

async function costsItsWorker([, ...frames]: Malformed) {
  for (const dialect of DIALECTS) {
    const service = someone();
    using worker = await broker.worker(service, dialect);
    await worker.says(...frames);
    await worker.isDisconnected();
    await worker.learns(service, "404");
  }
  await goesOn();
}

for (const malformed of TRUNCATED) {
  test(`7/MDP, Opening and Closing a Connection: dropped: ${malformed[0]}`, () =>
    isDropped(malformed));
  test(`Ours: a worker is removed that sends ${malformed[0]}`, () => costsItsWorker(malformed));
}

for (const malformed of SUPERFLUOUS) {
  test(`7/MDP, MDP/Worker: dropped: ${malformed[0]}`, () => isDropped(malformed));
  test(`Ours: a worker is removed that has too much to say: ${malformed[0]}`, () =>
    costsItsWorker(malformed));
}

for (const malformed of WRONG_COMMANDS) {
  test(`18/MDP, MDP/Worker: dropped: ${malformed[0]}`, () => isDropped(malformed));
  test(`Ours: a worker is removed that commands what there is not: ${malformed[0]}`, () =>
    costsItsWorker(malformed));
}

for (const malformed of WRONG_HEADERS) {
  test(`18/MDP, MDP/Client: dropped: ${malformed[0]}`, () => isDropped(malformed));
  test(`Ours: a worker is removed that speaks another protocol: ${malformed[0]}`, () =>
    costsItsWorker(malformed));
}

for (const malformed of NOTHING) {
  test(`7/MDP, ROUTER Addressing: dropped: ${malformed[0]}`, () => isDropped(malformed));
  test(`Ours: a worker is removed that sends junk: ${malformed[0]}`, () =>
    costsItsWorker(malformed));
}

for (const malformed of WRONG_NAMES) {
  test(`Ours: dropped: ${malformed[0]}`, () => isDropped(malformed));
  test(`Ours: a worker is removed that knows no name: ${malformed[0]}`, () =>
    costsItsWorker(malformed));
}

for (const malformed of WRONG_CREDITS) {
  test(`Ours, credit: dropped, and its sender not registered: ${malformed[0]}`, () =>
    isDropped(malformed));
  test(`Ours, credit: a worker is removed that sends ${malformed[0]}`, () =>
    costsItsWorker(malformed));
}

for (const malformed of WRONG_ADDRESSES) {
  test(`7/MDP, Request and Reply Processing: dropped: ${malformed[0]}`, () => isDropped(malformed));
  test(`Ours: a worker is removed that replies to nobody: ${malformed[0]}`, () =>
    costsItsWorker(malformed));
}

test("Ours: what a worker had that sent what is invalid is given to another", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", service, "job");
  await worker.isAsked("job");
  await worker.says("junk");
  await worker.isDisconnected();
  await broker.givesToAnother(client, service, "job");
  await goesOn();
});

test("7/MDP, ROUTER Addressing: the same peer may be served after what was dropped", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  for (const [, ...frames] of [...TRUNCATED, ...WRONG_COMMANDS]) await client.says(...frames);
  await echo(client, worker, service);
  await goesOn();
});

test("7/MDP, MDP/Worker: a client that speaks as a worker is told DISCONNECT, and has its reply all the same", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = broker.client();
  await client.says("", "MDPC01", service, "?");
  const address = await worker.isAsked("?");
  await client.says("", "MDPW01", "\x04");
  await client.hears("", "MDPW01", "\x05");
  await client.says("MDPW02", "\x05");
  await client.hears("MDPW02", "\x06");
  await worker.replies(address, "!");
  await client.hears("", "MDPC01", service, "!");
  await goesOn();
});

test("7/MDP, ROUTER Addressing: a socket that announces itself with ZMQ_PROBE_ROUTER is served", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using client = new Peer(broker.endpoint, BYTES, new Dealer({ probeRouter: true }));
  await echo(client, worker, service);
  await goesOn();
});

test("Ours: a frame that is too large costs its sender the connection, and nobody else anything", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has bounds of its own");
  const service = someone();
  using worker = await broker.worker(service);
  await worker.says("", "MDPC01", service, Buffer.alloc(MESSAGE_BYTES_MAX + 1));
  await broker.learns(service, "404");
  await goesOn();
});

test("Ours: a message that is too large, in frames that are not, is dropped", async (t) => {
  if (!broker.ours) return t.skip("a foreign broker has bounds of its own");
  const half = "x".repeat(MESSAGE_BYTES_MAX / 2);
  await isDropped(["too large", "", "MDPC01", someone(), half, half]);
  await isDropped(["too large", "MDPC02", "\x01", someone(), half, half]);
  await isDropped(["too large", "", "MDPW01", "\x01", half, half, half]);
});

test("Ours: a hundred thousand malformed messages in one go are dropped", async () => {
  using stranger = broker.client();
  for (let nth = 0; nth < 100_000; nth += 1) await stranger.says("", "MDPC01");
  await stranger.hearsNothing();
  await goesOn();
});

test("Ours: whatever three thousand messages of random frames are, the broker goes on", async () => {
  const random = seeded(20_260_101);
  const pick = <Thing>(things: Thing[]) => things[Math.floor(random() * things.length)] as Thing;
  const names = [someone(), someone(), "mmi.service", "mmi.call", "mmi.stats", "\xff", "\0"];
  const frames = [
    ...["", "MDPC01", "MDPC02", "MDPW01", "MDPW02", "MDPX01", "READY", "REPLY", "HEARTBEAT"],
    ...["\x01", "\x02", "\x03", "\x04", "\x05", "\x06", "7", "{}", '{"ttl":1}'],
    ...names,
  ];
  const starts = [[], [""], ["", "MDPC01"], ["MDPC02", "\x01"], ["", "MDPW01"], ["MDPW02"]];
  const peers = [BYTES, BYTES, V02, V02].map((dialect) => broker.client(dialect));
  for (let nth = 0; nth < 3000; nth += 1) {
    const rest = Array.from({ length: Math.floor(random() * 7) }, () => pick(frames));
    const message = [...pick(starts), ...rest];
    await pick(peers).says(...(message.length > 0 ? message : [""]));
    if (nth % 500 === 499) await goesOn();
  }
  for (const peer of peers) peer[Symbol.dispose]();
  await goesOn();
});

/** Numbers from 0 up to 1, the same ones in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("it was one broker all the while, and it has nothing left over", async () => {
  await bystanders.undisturbed();
  bystanders[Symbol.dispose]();
  await broker.endsWell();
});
