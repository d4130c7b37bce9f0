// Our own workers against a broker that is a script: MDP/Worker as they speak it.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, suite, test } from "node:test";
import { Program } from "../processes/program.ts";
import { until } from "../until.ts";
import { type Heard, ScriptedBroker } from "./scripted.ts";
import { isHeartbeat } from "./wire.ts";

const ECHO = "workers/echo.ts";
const SLOW = "e2e/processes/slow.ts";
const COUNT = "e2e/conformance/counting.ts";
const INTERVAL_MS = 300;
const LEASE_MS = 3 * INTERVAL_MS;

/** Those who need no time of their own share a broker and a worker. */
const broker = await ScriptedBroker.start();
const echo = new Program(ECHO, [], { MDP_BROKER: broker.endpoint });
const opening = await broker.next();
const worker = opening.from;
after(async () => {
  await echo.destroy();
  await broker[Symbol.asyncDispose]();
});

test("7/MDP, Opening and Closing a Connection: our worker opens with READY, which names its service", () => {
  assert.deepEqual(opening.frames.slice(0, 4), ["", "MDPW01", "\x01", "echo"]);
});

test("Ours, credit: our worker says in READY how many requests it takes at once", () => {
  assert.deepEqual(opening.frames, ["", "MDPW01", "\x01", "echo", "16"]);
});

test("7/MDP, MDP/Worker: our worker's REPLY carries the client address and an empty frame", async () => {
  await broker.says(worker, "", "MDPW01", "\x02", "client", "", "hello");
  assert.equal(await broker.hears("", "MDPW01", "\x03", "client", "", "hello"), worker);
});

test("7/MDP, MDP/Worker: our worker takes bodies of many frames, of empty ones, and of 1 MiB", async () => {
  for (const body of [["a", "", "b", ""], [""], ["", ""], ["\0\xff\xfe"], [randomBytes(2 ** 20)]]) {
    await broker.says(worker, "", "MDPW01", "\x02", "client", "", ...body);
    await broker.hears("", "MDPW01", "\x03", "client", "", ...body);
  }
});

test("7/MDP, Request and Reply Processing: our worker sends any client address back as it came", async () => {
  for (const address of ["\0", "\0k\x8bEg", "\xff\xfe", "MDPW01", "\x05", "x".repeat(255)]) {
    await broker.says(worker, "", "MDPW01", "\x02", address, "", "hello");
    await broker.hears("", "MDPW01", "\x03", address, "", "hello");
  }
});

test("Ours, credit: our worker answers sixteen requests that come at once, each to its client", async () => {
  const clients = Array.from({ length: 16 }, (_, nth) => `client ${nth}`);
  for (const client of clients) {
    await broker.says(worker, "", "MDPW01", "\x02", client, "", `for ${client}`);
  }
  const answered: string[] = [];
  while (answered.length < clients.length) {
    const { frames } = await broker.next();
    const [client = "", ...rest] = frames.slice(3);
    assert.deepEqual([...frames.slice(0, 3), ...rest], ["", "MDPW01", "\x03", "", `for ${client}`]);
    answered.push(client);
  }
  assert.deepEqual(answered.sort(), clients.sort());
});

for (const [what, ...frames] of [
  ["an empty frame", ""],
  ["junk", "junk"],
  ["what is not UTF-8", "\xff\xfe", "\xff"],
  ["a header alone", "", "MDPW01"],
  ["an unknown header", "", "MDPX01", "\x02", "client", "", "hello"],
  ["a command that there is not", "", "MDPW01", "\x09"],
  ["a command of no bytes", "", "MDPW01", "", "client", "", "hello"],
  ["a REQUEST without a body", "", "MDPW01", "\x02", "client", ""],
  ["a REQUEST without an empty frame", "", "MDPW01", "\x02", "client", "hello"],
  ["a REQUEST without a client address", "", "MDPW01", "\x02", "", "", "hello"],
  ["a DISCONNECT that says more", "", "MDPW01", "\x05", "why"],
  ["READY, which is its own to say", "", "MDPW01", "\x01", "echo"],
  ["REPLY, which is its own to say", "", "MDPW01", "\x03", "client", "", "hello"],
  ["a client's message", "", "MDPC01", "echo", "hello"],
  ["a message of ten thousand frames", ...Array<string>(10_000).fill("x")],
] as [string, ...string[]][]) {
  test(`7/MDP, MDP/Worker: our worker ignores ${what}, and goes on`, async () => {
    await broker.says(worker, ...frames);
    await broker.says(worker, "", "MDPW01", "\x02", "client", "", "still there?");
    assert.equal(await broker.hears("", "MDPW01", "\x03", "client", "", "still there?"), worker);
  });
}

test("7/MDP, Opening and Closing a Connection: our worker says READY once in a conversation", () => {
  const readies = broker.of(worker).filter(({ frames }) => frames[2] === "\x01");
  assert.equal(readies.length, 1);
  assert.equal(broker.heard.length, broker.of(worker).length);
});

suite("with a broker and a worker each", { concurrency: 4 }, () => {
  test("7/MDP, Heartbeating: our worker sends HEARTBEAT at the interval, and busy it does so too", async () => {
    await using own = await start(SLOW);
    using _ = own.broker.beating(own.worker, INTERVAL_MS / 3);
    await regular(own.broker, own.worker);
    const took = INTERVAL_MS * 8;
    await own.broker.says(own.worker, "", "MDPW01", "\x02", "client", "", String(took));
    await own.program.logged("slow.began");
    await regular(own.broker, own.worker);
    assert.ok(!own.program.log.some(({ event }) => event === "slow.finished"));
    assert.equal((await own.broker.next()).frames[2], "\x03");
  });

  test("7/MDP, Heartbeating: HEARTBEAT alone keeps our worker where it is", async () => {
    await using own = await start(ECHO);
    using _ = own.broker.beating(own.worker, INTERVAL_MS / 3);
    const end = performance.now() + LEASE_MS * 3;
    await until("three leases to pass", () => performance.now() > end);
    assert.deepEqual(new Set(own.broker.heard.map(({ from }) => from)), new Set([own.worker]));
    assert.equal(own.broker.heard.filter(speaks).length, 1);
  });

  test("7/MDP, Heartbeating: our worker leaves a broker that is silent for liveness × interval", async () => {
    await using own = await start(ECHO);
    const spoke = performance.now();
    await own.broker.says(own.worker, "", "MDPW01", "\x04");
    const again = await own.broker.next();
    assert.notEqual(again.from, own.worker);
    assert.deepEqual(again.frames, ["", "MDPW01", "\x01", "echo", "16"]);
    assert.ok(again.at - spoke >= LEASE_MS, `it left after ${again.at - spoke} ms`);
  });

  test("Ours: our worker tries READY without a credit, and in words, on a broker that never says a word", async () => {
    await using own = await start(ECHO);
    const opened = [own.worker];
    for (const ready of [
      ["\x01", "echo", "16"],
      ["\x01", "echo"],
      ["READY", "echo"],
      ["\x01", "echo", "16"],
    ]) {
      opened.push(await own.broker.hears("", "MDPW01", ...ready));
    }
    assert.equal(new Set(opened).size, opened.length);
  });

  test("Ours: our worker speaks words with a broker that answers its READY in words", async () => {
    await using own = await start(ECHO);
    let frames: string[] = [];
    let from = "";
    while (frames[2] !== "READY") ({ frames, from } = await own.broker.next());
    await own.broker.says(from, "", "MDPW01", "REQUEST", "client", "", "hello");
    await own.broker.hears("", "MDPW01", "REPLY", "client", "", "hello");
  });

  test("7/MDP, Opening and Closing a Connection: told DISCONNECT, our worker says READY on a new socket, and no more on the old", async () => {
    await using own = await start(ECHO);
    await own.broker.says(own.worker, "", "MDPW01", "\x04");
    const before = own.broker.of(own.worker).length;
    await own.broker.says(own.worker, "", "MDPW01", "\x05");
    const again = await own.broker.hears("", "MDPW01", "\x01", "echo", "16");
    assert.notEqual(again, own.worker);
    await own.broker.says(own.worker, "", "MDPW01", "\x02", "client", "", "on the old one");
    await own.broker.says(again, "", "MDPW01", "\x02", "client", "", "on the new one");
    await own.broker.hears("", "MDPW01", "\x03", "client", "", "on the new one");
    const since = own.broker.of(own.worker).slice(before);
    assert.deepEqual(since.filter(speaks), []);
  });

  test("7/MDP, Opening and Closing a Connection: told DISCONNECT at work, our worker replies neither here nor there", async () => {
    await using own = await start(SLOW);
    await own.broker.says(own.worker, "", "MDPW01", "\x02", "one", "", "60000");
    await own.program.logged("slow.began");
    await own.broker.says(own.worker, "", "MDPW01", "\x05");
    const again = await own.broker.hears("", "MDPW01", "\x01", "slow", "1");
    await own.program.logged("slow.aborted");
    await own.broker.says(again, "", "MDPW01", "\x02", "two", "", "0", "done");
    const pid = String(own.program.pid);
    assert.equal(await own.broker.hears("", "MDPW01", "\x03", "two", "", pid, "done"), again);
  });

  test("7/MDP, Opening and Closing a Connection: our worker says READY again to a broker that was restarted", async () => {
    await using own = await start(ECHO);
    await using next = await own.broker.restarts();
    const again = await next.hears("", "MDPW01", "\x01", "echo", "16");
    await next.says(again, "", "MDPW01", "\x02", "client", "", "hello");
    await next.hears("", "MDPW01", "\x03", "client", "", "hello");
  });

  test("7/MDP, Opening and Closing a Connection: on SIGTERM our idle worker says DISCONNECT, and nothing after it", async () => {
    await using own = await start(ECHO);
    assert.deepEqual(await own.program.stop(), { code: 0, signal: null });
    assert.equal(await own.broker.hears("", "MDPW01", "\x05"), own.worker);
    assert.deepEqual(own.broker.heard.at(-1)?.frames, ["", "MDPW01", "\x05"]);
  });

  test("Ours: on SIGTERM our busy worker finishes, replies, says DISCONNECT last, and takes nothing more", async () => {
    await using own = await start(SLOW);
    await own.broker.says(own.worker, "", "MDPW01", "\x02", "one", "", "500");
    await own.program.logged("slow.began");
    own.program.signal("SIGTERM");
    await own.program.logged("session.draining");
    await own.broker.says(own.worker, "", "MDPW01", "\x02", "two", "", "0");
    await own.broker.hears("", "MDPW01", "\x03", "one", "", String(own.program.pid));
    await own.broker.hears("", "MDPW01", "\x05");
    assert.deepEqual(await own.program.ended, { code: 0, signal: null });
    assert.deepEqual(own.broker.heard.at(-1)?.frames, ["", "MDPW01", "\x05"]);
  });

  test("Ours: our worker's no is a sentence, mmi.error and a code", async () => {
    await using own = await start("workers/math.ts");
    await own.broker.says(own.worker, "", "MDPW01", "\x02", "client", "", "1 +");
    const { frames } = await own.broker.next();
    const [sentence = "", ...rest] = frames.slice(5);
    assert.deepEqual(frames.slice(0, 5), ["", "MDPW01", "\x03", "client", ""]);
    assert.ok(sentence.length > 5, "no sentence");
    assert.deepEqual(rest, ["mmi.error", "400"]);
  });

  test("18/MDP, MDP/Worker: our worker that streams says READY in 0.2, and replies with PARTIALs and a FINAL", async () => {
    await using own = await start(COUNT);
    assert.deepEqual(own.broker.heard[0]?.frames, ["MDPW02", "\x01", "count", "1"]);
    await own.broker.says(own.worker, "MDPW02", "\x02", "client", "", "2");
    for (const [command, part] of [
      ["\x03", "0"],
      ["\x03", "1"],
      ["\x03", "2"],
      ["\x04", "done"],
    ]) {
      await own.broker.hears("MDPW02", command ?? "", "client", "", part ?? "");
    }
  });

  test("18/MDP, MDP/Worker: our worker that streams ends with a FINAL when it fails", async () => {
    await using own = await start(COUNT);
    await own.broker.says(own.worker, "MDPW02", "\x02", "client", "", "to infinity");
    await own.broker.hears("MDPW02", "\x03", "client", "", "0");
    await own.broker.hears("MDPW02", "\x04", "client", "", "not a number", "mmi.error", "400");
  });

  test("18/MDP, Heartbeating: our worker that streams says HEARTBEAT and DISCONNECT in 0.2", async () => {
    await using own = await start(COUNT);
    await until("a HEARTBEAT", () => !own.broker.heard.every(speaks));
    assert.deepEqual(own.broker.heard.find((heard) => !speaks(heard))?.frames, ["MDPW02", "\x05"]);
    await own.program.stop();
    assert.equal(await own.broker.hears("MDPW02", "\x06"), own.worker);
  });
});

/** It is more than a HEARTBEAT. */
function speaks({ frames }: Heard): boolean {
  return !isHeartbeat(frames);
}

/** A worker and a broker that has heard its READY, and nobody else's. */
async function start(file: string) {
  const own = await ScriptedBroker.start();
  const program = new Program(file, [], {
    MDP_BROKER: own.endpoint,
    MDP_HEARTBEAT_INTERVAL_MS: String(INTERVAL_MS),
    MDP_HEARTBEAT_LIVENESS: "3",
  });
  const end = async () => {
    await program.destroy();
    await own[Symbol.asyncDispose]();
  };
  try {
    const { from: worker } = await own.next();
    return { broker: own, program, worker, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Three more HEARTBEATs come, with about an interval between two. */
async function regular(own: ScriptedBroker, from: string) {
  const heartbeats = () => own.of(from).filter((heard) => !speaks(heard));
  const before = heartbeats().length;
  await until("three HEARTBEATs", () => heartbeats().length >= before + 4);
  const [first, ...more] = heartbeats()
    .slice(before)
    .map(({ at }) => at);
  const mean = ((more[2] ?? 0) - (first ?? 0)) / 3;
  // Of a busy machine too: the worker looks at the clock now and then, and we may be held up.
  assert.ok(mean > INTERVAL_MS / 2 && mean < INTERVAL_MS * 2, `one in ${mean} ms`);
}
