// Our workers against a scripted broker: MDP/Worker.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, suite, test } from "node:test";
import { Program } from "../processes/program.ts";
import { until } from "../until.ts";
import { isHeartbeat } from "./raw-peer.ts";
import { type ProbeReplies, type ReceivedMessage, ScriptedBroker } from "./scripted-broker.ts";

const ECHO = "workers/echo.ts";
const SLOW = "e2e/processes/slow.ts";
const COUNT = "e2e/conformance/counting-worker.ts";
const INTERVAL_MS = 300;
const LEASE_MS = 3 * INTERVAL_MS;

/** The replies to probes by a broker of 0.1.0, by one with all extensions, and by one of 7/MDP. */
const OF_0_1_0: ProbeReplies = ["404", "200"];
const EXTENDED: ProbeReplies = ["200", "200"];
const PLAIN: ProbeReplies = ["404", "404"];

/** The tests that do not wait for intervals share a broker and a worker. */
const broker = await ScriptedBroker.start(OF_0_1_0);
const echo = new Program(ECHO, [], { MDP_BROKER: broker.endpoint });
const opening = await broker.next();
const worker = opening.from;
after(async () => {
  await echo.destroy();
  await broker[Symbol.asyncDispose]();
});

test("MDP1-W-04 our worker starts: READY with its service", () => {
  assert.deepEqual(opening.frames.slice(0, 4), ["", "MDPW01", "\x01", "echo"]);
});

test("X-CREDIT our worker, 200 for mmi.call: READY has a fifth frame, its credit", () => {
  assert.deepEqual(opening.frames, ["", "MDPW01", "\x01", "echo", "16"]);
});

test("MDP1-W-02 our worker, REQUEST: REPLY with the client address and an empty frame", async () => {
  await broker.sends(worker, "", "MDPW01", "\x02", "client", "", "hello");
  assert.equal(await broker.receives("", "MDPW01", "\x03", "client", "", "hello"), worker);
});

test("MDP1-W-03 our worker, bodies of many frames, of empty ones and of 1 MiB: unchanged", async () => {
  for (const body of [["a", "", "b", ""], [""], ["", ""], ["\0\xff\xfe"], [randomBytes(2 ** 20)]]) {
    await broker.sends(worker, "", "MDPW01", "\x02", "client", "", ...body);
    await broker.receives("", "MDPW01", "\x03", "client", "", ...body);
  }
});

test("MDP1-W-11 our worker, client addresses of any bytes: unchanged", async () => {
  for (const address of ["\0", "\0k\x8bEg", "\xff\xfe", "MDPW01", "\x05", "x".repeat(255)]) {
    await broker.sends(worker, "", "MDPW01", "\x02", address, "", "hello");
    await broker.receives("", "MDPW01", "\x03", address, "", "hello");
  }
});

test("X-CREDIT our worker, sixteen requests at once: sixteen replies, each to its client", async () => {
  const clients = Array.from({ length: 16 }, (_, nth) => `client ${nth}`);
  for (const client of clients) {
    await broker.sends(worker, "", "MDPW01", "\x02", client, "", `for ${client}`);
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
  ["a READY", "", "MDPW01", "\x01", "echo"],
  ["a REPLY", "", "MDPW01", "\x03", "client", "", "hello"],
  ["a client's message", "", "MDPC01", "echo", "hello"],
  ["a client's message without a body", "", "MDPC01", "mmi.service"],
] as [string, ...string[]][]) {
  test(`MDP1-W-10 our worker, ${what}: ignored`, async () => {
    await broker.sends(worker, ...frames);
    await broker.sends(worker, "", "MDPW01", "\x02", "client", "", "still there?");
    assert.equal(await broker.receives("", "MDPW01", "\x03", "client", "", "still there?"), worker);
  });
}

test("MDP1-W-05 our worker after all this: one READY", () => {
  const readies = broker.receivedFrom(worker).filter(({ frames }) => frames[2] === "\x01");
  assert.equal(readies.length, 1);
  assert.equal(broker.received.length, broker.receivedFrom(worker).length);
});

let again = worker;
for (const [what, ...frames] of [
  ["an empty frame", ""],
  ["junk", "junk"],
  ["bytes that are not UTF-8", "\xff\xfe", "\xff"],
  ["a header alone", "", "MDPW01"],
  ["an unknown header", "", "MDPX01", "\x02", "client", "", "hello"],
  ["an unknown command", "", "MDPW01", "\x09"],
  ["a command of no bytes", "", "MDPW01", "", "client", "", "hello"],
  ["a REQUEST without a body", "", "MDPW01", "\x02", "client", ""],
  ["a REQUEST without an empty frame", "", "MDPW01", "\x02", "client", "hello"],
  ["a REQUEST without a client address", "", "MDPW01", "\x02", "", "", "hello"],
  ["a DISCONNECT with a reason", "", "MDPW01", "\x05", "why"],
  ["a message of seventy thousand frames", ...Array<string>(70_000).fill("x")],
] as [string, ...string[]][]) {
  test(`MDP1-W-10 our worker, ${what}: READY on a new socket`, async () => {
    await broker.sends(again, "", "MDPW01", "\x04");
    await broker.sends(again, ...frames);
    const ready = await broker.next();
    assert.deepEqual(ready.frames.slice(0, 4), ["", "MDPW01", "\x01", "echo"]);
    assert.notEqual(ready.from, again);
    again = ready.from;
  });
}

suite("with a broker and a worker each", { concurrency: 4 }, () => {
  test("MDP1-W-12 our worker, idle and busy: HEARTBEAT at the interval", async () => {
    await using own = await start(SLOW);
    using _ = own.broker.sendingHeartbeats(own.worker, INTERVAL_MS / 3);
    await sendsHeartbeats(own.broker, own.worker);
    const took = INTERVAL_MS * 8;
    await own.broker.sends(own.worker, "", "MDPW01", "\x02", "client", "", String(took));
    await own.program.logged("slow.began");
    await sendsHeartbeats(own.broker, own.worker);
    assert.ok(!own.program.log.some(({ event }) => event === "slow.finished"));
    assert.equal((await own.broker.next()).frames[2], "\x03");
  });

  test("MDP1-W-13 our worker, HEARTBEAT for three leases: stays", async () => {
    await using own = await start(ECHO);
    using _ = own.broker.sendingHeartbeats(own.worker, INTERVAL_MS / 3);
    const end = performance.now() + LEASE_MS * 3;
    await until("three leases to pass", () => performance.now() > end);
    assert.deepEqual(new Set(own.broker.received.map(({ from }) => from)), new Set([own.worker]));
    assert.equal(own.broker.received.filter(isNoHeartbeat).length, 1);
  });

  test("MDP1-W-14 our worker, broker silent for liveness × interval: READY on a new socket", async () => {
    await using own = await start(ECHO);
    const spoke = performance.now();
    await own.broker.sends(own.worker, "", "MDPW01", "\x04");
    const again = await own.broker.next();
    assert.notEqual(again.from, own.worker);
    assert.deepEqual(again.frames, ["", "MDPW01", "\x01", "echo", "16"]);
    assert.ok(again.at - spoke >= LEASE_MS, `left after ${again.at - spoke} ms`);
  });

  test("MDP1-W-01 our worker, 404 for each probe: READY has exactly four frames", async () => {
    await using own = await start(ECHO, PLAIN);
    assert.deepEqual(own.broker.received[0]?.frames, ["", "MDPW01", "\x01", "echo"]);
    await own.broker.sends(own.worker, "", "MDPW01", "\x02", "client", "", "hello");
    await own.broker.receives("", "MDPW01", "\x03", "client", "", "hello");
  });

  test("MDP1-W-04 our worker, MDP_READY=plain: READY is the first message", async () => {
    await using own = await start(ECHO, null, { MDP_READY: "plain" });
    assert.deepEqual(own.broker.received[0]?.frames, ["", "MDPW01", "\x01", "echo"]);
    assert.equal(own.broker.received.filter(isNoHeartbeat).length, 1);
  });

  test("MDP1-W-04 our worker: two probes, and after a silence of 1 s READY of four frames", async () => {
    await using own = await start(ECHO, null);
    const [first] = own.broker.received;
    assert.deepEqual(first?.frames, ["", "MDPC01", "mmi.service", "mmi.ready"]);
    await own.broker.receives("", "MDPC01", "mmi.service", "mmi.call");
    const { frames, at } = await own.broker.next();
    assert.deepEqual(frames, ["", "MDPW01", "\x01", "echo"]);
    assert.ok(at - first.at >= 900, `READY after ${at - first.at} ms`);
  });

  test("X-CREDIT our worker, 200 for mmi.ready: READY with keys, and cancel aborts a handler", async () => {
    await using own = await start(SLOW, EXTENDED);
    const [empty, header, command, service, credit, name, knows] =
      own.broker.received[0]?.frames ?? [];
    assert.deepEqual(
      [empty, header, command, service, credit],
      ["", "MDPW01", "\x01", "slow", "1"],
    );
    assert.match(name ?? "", new RegExp(`^name=.+:${own.program.pid}$`));
    assert.equal(knows, "knows=meta,cancel,shares");
    const address = `thislife\0\0\0\0\0\0\0\x07`;
    const metadata = "\x01\x00\x00\x01\x00\x00\x13\x88";
    await own.broker.sends(own.worker, "", "MDPW01", "\x02", address, metadata, "60000");
    await own.program.logged("slow.began");
    await own.broker.sends(own.worker, "", "MDPW01", "\x04", "cancel", address);
    await own.program.logged("slow.aborted");
    const { frames } = await own.broker.next();
    assert.deepEqual(frames.slice(0, 5), ["", "MDPW01", "\x03", address, ""]);
  });

  test("X-CREDIT our worker, broker never answers READY: two of 7/MDP, then text, then again", async () => {
    await using own = await start(ECHO, PLAIN);
    const opened = [own.worker];
    for (const ready of [
      ["\x01", "echo"],
      ["READY", "echo"],
      ["\x01", "echo"],
    ]) {
      opened.push(await own.broker.receives("", "MDPW01", ...ready));
    }
    assert.equal(new Set(opened).size, opened.length);
  });

  test("X-TEXT our worker, broker that answers the text READY: REPLY in text", async () => {
    await using own = await start(ECHO, PLAIN);
    let frames: string[] = [];
    let from = "";
    while (frames[2] !== "READY") ({ frames, from } = await own.broker.next());
    await own.broker.sends(from, "", "MDPW01", "REQUEST", "client", "", "hello");
    await own.broker.receives("", "MDPW01", "REPLY", "client", "", "hello");
  });

  test("MDP1-W-08 our worker, DISCONNECT: READY on a new socket, nothing more on the old one", async () => {
    await using own = await start(ECHO);
    await own.broker.sends(own.worker, "", "MDPW01", "\x04");
    const before = own.broker.receivedFrom(own.worker).length;
    await own.broker.sends(own.worker, "", "MDPW01", "\x05");
    const again = await own.broker.receives("", "MDPW01", "\x01", "echo", "16");
    assert.notEqual(again, own.worker);
    await own.broker.sends(own.worker, "", "MDPW01", "\x02", "client", "", "on the old one");
    await own.broker.sends(again, "", "MDPW01", "\x02", "client", "", "on the new one");
    await own.broker.receives("", "MDPW01", "\x03", "client", "", "on the new one");
    const since = own.broker.receivedFrom(own.worker).slice(before);
    assert.deepEqual(since.filter(isNoHeartbeat), []);
  });

  test("MDP1-W-07 our busy worker, DISCONNECT: no REPLY on either socket, READY on the new one", async () => {
    await using own = await start(SLOW);
    await own.broker.sends(own.worker, "", "MDPW01", "\x02", "one", "", "60000");
    await own.program.logged("slow.began");
    await own.broker.sends(own.worker, "", "MDPW01", "\x05");
    const again = await own.broker.receives("", "MDPW01", "\x01", "slow", "1");
    await own.program.logged("slow.aborted");
    await own.broker.sends(again, "", "MDPW01", "\x02", "two", "", "0", "done");
    const pid = String(own.program.pid);
    assert.equal(await own.broker.receives("", "MDPW01", "\x03", "two", "", pid, "done"), again);
  });

  test("MDP1-W-09 our worker, broker restarted: READY again", async () => {
    await using own = await start(ECHO);
    await using next = await own.broker.restart();
    const again = await next.receives("", "MDPW01", "\x01", "echo", "16");
    await next.sends(again, "", "MDPW01", "\x02", "client", "", "hello");
    await next.receives("", "MDPW01", "\x03", "client", "", "hello");
  });

  test("MDP1-W-06 our idle worker, SIGTERM: DISCONNECT is its last command", async () => {
    await using own = await start(ECHO);
    assert.deepEqual(await own.program.stop(), { code: 0, signal: null });
    assert.equal(await own.broker.receives("", "MDPW01", "\x05"), own.worker);
    assert.deepEqual(own.broker.received.at(-1)?.frames, ["", "MDPW01", "\x05"]);
  });

  test("MDP1-W-06 our busy worker, SIGTERM: REPLY, then DISCONNECT; a new request is ignored", async () => {
    await using own = await start(SLOW);
    await own.broker.sends(own.worker, "", "MDPW01", "\x02", "one", "", "500");
    await own.program.logged("slow.began");
    own.program.signal("SIGTERM");
    await own.program.logged("session.draining");
    await own.broker.sends(own.worker, "", "MDPW01", "\x02", "two", "", "0");
    await own.broker.receives("", "MDPW01", "\x03", "one", "", String(own.program.pid));
    await own.broker.receives("", "MDPW01", "\x05");
    assert.deepEqual(await own.program.ended, { code: 0, signal: null });
    assert.deepEqual(own.broker.received.at(-1)?.frames, ["", "MDPW01", "\x05"]);
  });

  test("X-ERROR our worker, handler fails: message, mmi.error and code", async () => {
    await using own = await start("workers/math.ts");
    await own.broker.sends(own.worker, "", "MDPW01", "\x02", "client", "", "1 +");
    const { frames } = await own.broker.next();
    const [sentence = "", ...rest] = frames.slice(5);
    assert.deepEqual(frames.slice(0, 5), ["", "MDPW01", "\x03", "client", ""]);
    assert.ok(sentence.length > 5, "no sentence");
    assert.deepEqual(rest, ["mmi.error", "400"]);
  });

  test("MDP2-W-01 our worker that streams, READY of 7/MDP without an answer: READY in 0.2 with three frames", async () => {
    await using own = await start(COUNT, PLAIN);
    await own.broker.receives("", "MDPW01", "\x01", "count");
    await own.broker.receives("MDPW02", "\x01", "count");
  });

  test("X-CREDIT our worker that streams, 200 for mmi.call: READY in 0.2 with its credit", async () => {
    await using own = await start(COUNT);
    assert.deepEqual(own.broker.received[0]?.frames, ["MDPW02", "\x01", "count", "1"]);
    await own.broker.sends(own.worker, "MDPW02", "\x02", "client", "", "2");
    for (const [command, part] of [
      ["\x03", "0"],
      ["\x03", "1"],
      ["\x03", "2"],
      ["\x04", "done"],
    ]) {
      await own.broker.receives("MDPW02", command ?? "", "client", "", part ?? "");
    }
  });

  test("MDP2-W-03 our worker that streams, handler fails: one PARTIAL, then the error as FINAL", async () => {
    await using own = await start(COUNT);
    await own.broker.sends(own.worker, "MDPW02", "\x02", "client", "", "to infinity");
    await own.broker.receives("MDPW02", "\x03", "client", "", "0");
    await own.broker.receives("MDPW02", "\x04", "client", "", "not a number", "mmi.error", "400");
  });

  test("MDP2-W-02 our worker that streams, SIGTERM: DISCONNECT in 0.2", async () => {
    await using own = await start(COUNT);
    await own.program.stop();
    assert.equal(await own.broker.receives("MDPW02", "\x06"), own.worker);
  });

  test("MDP2-W-04 our worker that streams: HEARTBEAT in 0.2", async () => {
    await using own = await start(COUNT);
    await until("a HEARTBEAT", () => !own.broker.received.every(isNoHeartbeat));
    const heartbeat = own.broker.received.find((message) => !isNoHeartbeat(message));
    assert.deepEqual(heartbeat?.frames, ["MDPW02", "\x05"]);
  });
});

/** Is it another command than HEARTBEAT? */
function isNoHeartbeat({ frames }: ReceivedMessage): boolean {
  return !isHeartbeat(frames);
}

/** A worker, and a broker that has received its READY, or its first probe if no probe has a reply. */
async function start(
  file: string,
  probeReplies: ProbeReplies | null = OF_0_1_0,
  settings: Record<string, string> = {},
) {
  const own = await ScriptedBroker.start(probeReplies);
  const program = new Program(file, [], {
    MDP_BROKER: own.endpoint,
    MDP_HEARTBEAT_INTERVAL_MS: String(INTERVAL_MS),
    MDP_HEARTBEAT_LIVENESS: "3",
    ...settings,
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

/** Asserts that three more HEARTBEATs arrive, about one per interval. */
async function sendsHeartbeats(own: ScriptedBroker, from: string) {
  const heartbeats = () => own.receivedFrom(from).filter((received) => !isNoHeartbeat(received));
  const before = heartbeats().length;
  await until("three HEARTBEATs", () => heartbeats().length >= before + 4);
  const [first, ...more] = heartbeats()
    .slice(before)
    .map(({ at }) => at);
  const mean = ((more[2] ?? 0) - (first ?? 0)) / 3;
  // The bounds leave room for the worker's tick, and for a busy machine.
  assert.ok(mean > INTERVAL_MS / 2 && mean < INTERVAL_MS * 2, `one per ${mean} ms`);
}
