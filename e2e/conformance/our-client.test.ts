// Our client against a scripted broker: MDP/Client with brokers that have mmi.call, and with those that
// do not.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokenOff,
  Cancelled,
  Client,
  type ClientOptions,
  Expired,
  NoBroker,
  NotAllowed,
  NoWorker,
  Quarantined,
  QueueFull,
  Refused,
  ServiceFailed,
  ShuttingDown,
  TimedOut,
  TooManyCallers,
} from "../../clients/client.ts";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { type ReceivedMessage, ScriptedBroker } from "./scripted-broker.ts";

/** Short: the client soon takes a silent broker for dead. */
const SILENCE_MS = 400;
/** Long: the client never does. */
const PATIENT = { silenceMs: 60_000 };

const PROBE = ["", "MDPC01", "mmi.service", "mmi.call"];

test("X-CALL first request on a socket: our client sends mmi.service for mmi.call, and waits", async () => {
  await using own = await start(PATIENT);
  const replies = [own.client.request("echo", "1"), own.client.request("echo", "2")];
  const { from } = await own.broker.next();
  assert.deepEqual(
    own.broker.received.map(({ frames }) => frames),
    [PROBE],
  );
  await own.broker.sends(from, ...PROBE.slice(0, 3), "200");
  for (let nth = 0; nth < 2; nth += 1) await answersCall(own.broker, "200", "done");
  assert.deepEqual((await Promise.all(replies)).map(String), ["done", "done"]);
});

test("REQREP-07 our client calls: six bytes and an empty frame before MDPC01", async () => {
  await using own = await startWithCalls(PATIENT);
  const reply = own.client.request("echo", ["a", "", "b"], { timeoutMs: 5000 });
  const { frames } = await own.broker.next();
  const [id = "", empty, header, name, service, options = "", ...body] = frames;
  assert.equal(id.length, 6);
  assert.deepEqual([empty, header, name, service], ["", "MDPC01", "mmi.call", "echo"]);
  assert.deepEqual(body, ["a", "", "b"]);
  const said = JSON.parse(options);
  assert.deepEqual(Object.keys(said).sort(), ["id", "ttl"]);
  assert.ok(said.ttl > 4000 && said.ttl <= 5000 && Number.isInteger(said.ttl), options);
  assert.ok(said.id.length >= 16, options);
  await own.broker.sends(own.peer, id, "", "MDPC01", "mmi.call", "200", "A", "", "B");
  assert.deepEqual((await reply).map(String), ["A", "", "B"]);
});

test("REQREP-07 our client has a hundred calls outstanding: each gets its own reply", async () => {
  await using own = await startWithCalls(PATIENT);
  const numbers = Array.from({ length: 100 }, (_, nth) => String(nth));
  const replies = numbers.map((nth) => own.client.request("echo", nth));
  const calls: ReceivedMessage[] = [];
  for (const _ of numbers) calls.push(await own.broker.next());
  assert.equal(new Set(calls.map(({ frames }) => frames[0])).size, 100);
  assert.equal(new Set(calls.map(({ frames }) => frames[5])).size, 100);
  for (const { frames } of calls.reverse()) {
    const [id = ""] = frames;
    await own.broker.sends(own.peer, id, "", "MDPC01", "mmi.call", "200", `${frames[6]}!`);
  }
  assert.deepEqual(
    (await Promise.all(replies)).map(String),
    numbers.map((nth) => `${nth}!`),
  );
});

for (const code of ["404", "501"]) {
  test(`MDP1-C-02 our client, probe answered ${code}: plain requests, one after the other`, async () => {
    await using own = await start(PATIENT);
    const replies = ["1", "2", "3"].map((nth) => own.client.request("echo", [nth, ""]));
    const peer = await own.broker.receives(...PROBE);
    await own.broker.sends(peer, ...PROBE.slice(0, 3), code);
    let answeredAt = 0;
    for (const nth of ["1", "2", "3"]) {
      const { frames, from, at } = await own.broker.next();
      assert.deepEqual([from, ...frames], [peer, "", "MDPC01", "echo", nth, ""]);
      assert.ok(at >= answeredAt, "sent before the reply to the request before");
      await own.broker.sends(peer, "", "MDPC01", "no such service", "a stray");
      answeredAt = performance.now();
      await own.broker.sends(peer, "", "MDPC01", "echo", nth, nth);
    }
    assert.deepEqual((await Promise.all(replies)).map(String), ["1,1", "2,2", "3,3"]);
  });
}

test("MDP1-C-01 our client, probe not answered for half of its silence limit: plain requests", async () => {
  await using own = await start({ silenceMs: SILENCE_MS });
  const reply = own.client.request("echo", "hello");
  const { from, at } = await own.broker.next();
  const request = await own.broker.next();
  assert.deepEqual(request.frames, ["", "MDPC01", "echo", "hello"]);
  assert.equal(request.from, from);
  assert.ok(request.at - at > SILENCE_MS / 4, `sent after ${request.at - at} ms`);
  await own.broker.sends(from, "", "MDPC01", "echo", "world");
  assert.equal(String(await reply), "world");
});

test("MDP1-C-03 our client, plain request not answered: sent again on a new socket", async () => {
  await using own = await start({ silenceMs: SILENCE_MS, tries: 5 });
  const reply = own.client.request("echo", "hello");
  const question = await own.broker.receives(...PROBE);
  await own.broker.sends(question, ...PROBE.slice(0, 3), "501");
  const first = await nextPlainRequest(own.broker);
  const again = await nextPlainRequest(own.broker);
  assert.notEqual(again.from, first.from);
  assert.deepEqual(again.frames, first.frames);
  assert.ok(again.at - first.at > SILENCE_MS / 2, `sent again after ${again.at - first.at} ms`);
  await own.broker.sends(again.from, "", "MDPC01", "echo", "world");
  assert.equal(String(await reply), "world");
});

test("MDP1-C-05 our client, late REPLY to a plain request that timed out: not taken for the next one", async () => {
  await using own = await start(PATIENT);
  const given = own.client.request("echo", "1", { timeoutMs: SILENCE_MS });
  const peer = await own.broker.receives(...PROBE);
  await own.broker.sends(peer, ...PROBE.slice(0, 3), "501");
  await own.broker.receives("", "MDPC01", "echo", "1");
  await assert.rejects(given, TimedOut);
  const reply = own.client.request("echo", "2");
  await own.broker.sends(peer, "", "MDPC01", "echo", "to the first");
  const next = await nextPlainRequest(own.broker);
  assert.notEqual(next.from, peer);
  assert.deepEqual(next.frames, ["", "MDPC01", "echo", "2"]);
  await own.broker.sends(next.from, "", "MDPC01", "echo", "to the second");
  assert.equal(String(await reply), "to the second");
});

test("X-ERROR our client, error reply to a plain request: ServiceFailed", async () => {
  await using own = await start(PATIENT);
  const reply = own.client.request("echo", "1");
  reply.catch(() => {});
  const peer = await own.broker.receives(...PROBE);
  await own.broker.sends(peer, ...PROBE.slice(0, 3), "404");
  await own.broker.receives("", "MDPC01", "echo", "1");
  await own.broker.sends(peer, "", "MDPC01", "echo", "it is not so", "mmi.error", "409");
  await assert.rejects(reply, { name: "ServiceFailed", status: 409, message: "it is not so" });
});

test("X-CALL our client, call answered 501 alone: plain requests", async () => {
  await using own = await startWithCalls(PATIENT);
  const reply = own.client.request("echo", "hello");
  const { frames } = await own.broker.next();
  await own.broker.sends(own.peer, frames[0] ?? "", "", "MDPC01", "mmi.call", "501");
  await own.broker.receives("", "MDPC01", "echo", "hello");
  await own.broker.sends(own.peer, "", "MDPC01", "echo", "world");
  assert.equal(String(await reply), "world");
});

for (const [what, ...stray] of [
  [
    "of an id that it never sent",
    "\xff\xff\xff\xff\xff\xff",
    "",
    "MDPC01",
    "mmi.call",
    "200",
    "no",
  ],
  ["of an id that is too short", "id", "", "MDPC01", "mmi.call", "200", "no"],
  ["with an id more", "7", "ID", "", "MDPC01", "mmi.call", "200", "no"],
  ["without an envelope", "", "MDPC01", "mmi.call", "200", "no"],
  ["of another service", "ID", "", "MDPC01", "math", "200", "no"],
  ["of the service itself", "ID", "", "MDPC01", "echo", "no"],
  ["that is a worker's REQUEST", "", "MDPW01", "\x02", "ID", "", "200", "no"],
  ["that is a worker's DISCONNECT", "", "MDPW01", "\x05"],
] as [string, ...string[]][]) {
  test(`MDP1-C-05 our client, reply ${what}: ignored`, async () => {
    await using own = await startWithCalls(PATIENT);
    const reply = own.client.request("echo", "hello");
    const { frames } = await own.broker.next();
    const [id = ""] = frames;
    await own.broker.sends(own.peer, ...stray.map((frame) => (frame === "ID" ? id : frame)));
    await own.broker.sends(own.peer, id, "", "MDPC01", "mmi.call", "200", "yes");
    assert.equal(String(await reply), "yes");
    assert.equal(own.broker.received.length, 1);
  });
}

for (const [what, ...stray] of [
  ["without its empty frame", "ID", "MDPC01", "mmi.call", "200", "no"],
  ["of an unknown header", "ID", "", "MDPX01", "mmi.call", "200", "no"],
  ["without a body", "ID", "", "MDPC01", "mmi.call"],
  ["without anything", ""],
  ["that is junk", "\xff\xfe"],
  ["of ten thousand frames", ...Array<string>(10_000).fill("ID")],
  ["with two empty frames", "ID", "", "", "MDPC01", "mmi.call", "200", "no"],
] as [string, ...string[]][]) {
  test(`MDP1-C-05 our client, message ${what}: the call goes out again on a new socket`, async () => {
    await using own = await startWithCalls(PATIENT);
    const reply = own.client.request("echo", "hello");
    const { frames } = await own.broker.next();
    const [id = ""] = frames;
    await own.broker.sends(own.peer, ...stray.map((frame) => (frame === "ID" ? id : frame)));
    const from = await own.broker.receives(...PROBE);
    await own.broker.sends(from, ...PROBE.slice(0, 3), "200");
    await answersCall(own.broker, "200", "yes");
    assert.equal(String(await reply), "yes");
  });
}

test("MDP1-C-05 our client, second reply to a call: ignored", async () => {
  await using own = await startWithCalls(PATIENT);
  for (const nth of ["1", "2"]) {
    const reply = own.client.request("echo", nth);
    const [id = ""] = (await own.broker.next()).frames;
    for (const body of [nth, "again", "and again"]) {
      await own.broker.sends(own.peer, id, "", "MDPC01", "mmi.call", "200", body);
    }
    assert.equal(String(await reply), nth);
  }
  await until("the duplicates to be counted", () => own.client.unmatchedReplies.duplicate === 4);
});

for (const [status, Kind] of [
  ["400", Refused],
  ["403", NotAllowed],
  ["404", NoWorker],
  ["408", Expired],
  ["409", TooManyCallers],
  ["410", Cancelled],
  ["429", QueueFull],
  ["500", Refused],
  ["502", Quarantined],
] as const) {
  test(`X-CALL our client, status ${status}: ${Kind.name} with the broker's reason`, async () => {
    await using own = await startWithCalls(PATIENT);
    const reply = own.client.request("echo", "hello");
    reply.catch(() => {});
    await answersCall(own.broker, status, "this is why");
    await assert.rejects(reply, (error) => {
      assert.ok(error instanceof Refused);
      assert.equal(error.constructor, Kind);
      assert.deepEqual([error.status, error.message], [Number(status), "this is why"]);
      return true;
    });
  });
}

test("X-ERROR our client, error reply to a call: ServiceFailed with its code and message", async () => {
  await using own = await startWithCalls(PATIENT);
  for (const code of ["400", "404", "500"]) {
    const reply = own.client.request("echo", "hello");
    reply.catch(() => {});
    await answersCall(own.broker, code, "this is why", "mmi.error", code);
    await assert.rejects(reply, (error) => {
      assert.ok(error instanceof ServiceFailed);
      assert.deepEqual([error.status, error.message], [Number(code), "this is why"]);
      return true;
    });
  }
});

test("X-CALL our client, status 503: the same call again, ShuttingDown when its time is over", async () => {
  await using own = await startWithCalls(PATIENT);
  own.broker.onMessage = ({ from, frames: [id = ""] }) =>
    void own.broker.sends(from, id, "", "MDPC01", "mmi.call", "503", "going");
  await assert.rejects(own.client.request("echo", "hello", { timeoutMs: 1000 }), ShuttingDown);
  const [first, ...more] = own.broker.received as [ReceivedMessage, ...ReceivedMessage[]];
  assert.ok(more.length > 0, "sent only once");
  for (const again of more) {
    assert.deepEqual(again.frames.toSpliced(5, 1), first.frames.toSpliced(5, 1));
    assert.equal(idOf(again), idOf(first));
  }
});

test("X-CALL our client, slow reply and a broker that answers the probe: waits on the same socket", async () => {
  await using own = await startWithCalls({ silenceMs: SILENCE_MS });
  const reply = own.client.request("echo", "slow");
  const call = await own.broker.next();
  for (let nth = 0; nth < 4; nth += 1) {
    assert.equal(await own.broker.receives(...PROBE), own.peer);
    await own.broker.sends(own.peer, ...PROBE.slice(0, 3), "200");
  }
  await own.broker.sends(own.peer, call.frames[0] ?? "", "", "MDPC01", "mmi.call", "200", "done");
  assert.equal(String(await reply), "done");
  assert.equal(own.client.retries, 0);
});

test("MDP1-C-03 our client, broker silent: the same call on a new socket", async () => {
  await using own = await startWithCalls({ silenceMs: SILENCE_MS, tries: 5 });
  const reply = own.client.request("echo", "hello", { timeoutMs: 20_000 });
  const call = await own.broker.next();
  await own.broker.receives(...PROBE);
  const peer = await own.broker.receives(...PROBE);
  assert.notEqual(peer, own.peer);
  await own.broker.sends(peer, ...PROBE.slice(0, 3), "200");
  const again = await own.broker.next();
  assert.deepEqual(again.frames.slice(1, 5), call.frames.slice(1, 5));
  assert.equal(idOf(again), idOf(call));
  assert.ok(ttlOf(again) < ttlOf(call));
  await own.broker.sends(own.peer, call.frames[0] ?? "", "", "MDPC01", "mmi.call", "200", "old");
  await own.broker.sends(peer, again.frames[0] ?? "", "", "MDPC01", "mmi.call", "200", "new");
  assert.equal(String(await reply), "new");
  assert.equal(own.client.retries, 1);
});

test("MDP1-C-04 our client, broker silent three times: NoBroker", async () => {
  await using own = await startWithCalls({ silenceMs: SILENCE_MS / 2 });
  await assert.rejects(own.client.request("echo", "hello"), NoBroker);
  assert.equal(new Set(own.broker.received.map(({ from }) => from)).size, 3);
});

test("MDP1-C-04 our client, no reply in time: TimedOut", async () => {
  await using own = await startWithCalls(PATIENT);
  const began = performance.now();
  await assert.rejects(own.client.request("echo", "hello", { timeoutMs: 100 }), TimedOut);
  assert.ok(performance.now() - began >= 100);
  assert.equal(own.broker.received.length, 1);
});

test("MDP1-C-03 our client, broker restarted: a new probe, then the same call", async () => {
  await using own = await startWithCalls({ silenceMs: 5000 });
  const reply = own.client.request("echo", "hello");
  const call = await own.broker.next();
  await using next = await own.broker.restart();
  const peer = await next.receives(...PROBE);
  await next.sends(peer, ...PROBE.slice(0, 3), "200");
  const again = await next.next();
  assert.equal(idOf(again), idOf(call));
  await next.sends(peer, again.frames[0] ?? "", "", "MDPC01", "mmi.call", "200", "done");
  assert.equal(String(await reply), "done");
});

test("X-CALL our client, management request: sent directly", async () => {
  await using own = await startWithCalls(PATIENT);
  const reply = own.client.request("mmi.service", "echo");
  const { frames } = await own.broker.next();
  const [id = ""] = frames;
  assert.equal(id.length, 6);
  assert.deepEqual(frames.slice(1), ["", "MDPC01", "mmi.service", "echo"]);
  await own.broker.sends(own.peer, id, "", "MDPC01", "mmi.service", "404");
  assert.equal(String(await reply), "404");
});

test("MDP2-C-01 our client, reply in parts: MDPC02, yields PARTIALs and FINAL", async () => {
  await using own = await startWithCalls(PATIENT);
  const parts: string[] = [];
  const reading = (async () => {
    for await (const frames of own.client.stream("count", "3")) parts.push(String(frames));
  })();
  const { frames } = await own.broker.next();
  const [id = "", empty, header, command, name, service, , ...body] = frames;
  assert.deepEqual([empty, header, command, name], ["", "MDPC02", "\x01", "mmi.call"]);
  assert.deepEqual([service, ...body], ["count", "3"]);
  for (const part of ["1", "2"]) {
    await own.broker.sends(own.peer, id, "", "MDPC02", "\x02", "mmi.call", "206", part);
    await until("the part", () => parts.at(-1) === part);
  }
  await own.broker.sends(own.peer, id, "", "MDPC02", "\x03", "mmi.call", "200", "3");
  await reading;
  assert.deepEqual(parts, ["1", "2", "3"]);
});

test("MDP2-C-01 our client, stream broken off with 504: BrokenOff after the parts", async () => {
  await using own = await startWithCalls(PATIENT);
  const parts: string[] = [];
  const reading = (async () => {
    for await (const frames of own.client.stream("count", "3")) parts.push(String(frames));
  })();
  reading.catch(() => {});
  const [id = ""] = (await own.broker.next()).frames;
  await own.broker.sends(own.peer, id, "", "MDPC02", "\x02", "mmi.call", "206", "1");
  await own.broker.sends(own.peer, id, "", "MDPC02", "\x03", "mmi.call", "504", "it is lost");
  await assert.rejects(reading, BrokenOff);
  assert.deepEqual(parts, ["1"]);
});

async function start(options: ClientOptions) {
  const broker = await ScriptedBroker.start();
  const client = new Client(broker.endpoint, { transport, ...options });
  return {
    broker,
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      await broker[Symbol.asyncDispose]();
    },
  };
}

/** A client whose probe was answered: it sends calls to this broker. */
async function startWithCalls(options: ClientOptions) {
  const own = await start(options);
  try {
    return { ...own, peer: await answerProbe(own.broker, own.client) };
  } catch (error) {
    await own[Symbol.asyncDispose]();
    throw error;
  }
}

async function answerProbe(broker: ScriptedBroker, client: Client): Promise<string> {
  const reply = client.request("mmi.service", "anything");
  reply.catch(() => {});
  const peer = await broker.receives(...PROBE);
  await broker.sends(peer, ...PROBE.slice(0, 3), "200");
  const [id = ""] = (await broker.next()).frames;
  await broker.sends(peer, id, "", "MDPC01", "mmi.service", "404");
  await reply;
  broker.clear();
  return peer;
}

/** Answers the next call, and returns it. */
async function answersCall(broker: ScriptedBroker, ...answer: string[]): Promise<ReceivedMessage> {
  const call = await broker.next();
  const [id = "", empty, header, name] = call.frames;
  assert.deepEqual([empty, header, name], ["", "MDPC01", "mmi.call"]);
  await broker.sends(call.from, id, "", "MDPC01", "mmi.call", ...answer);
  return call;
}

/** The next request that is no probe. */
async function nextPlainRequest(broker: ScriptedBroker): Promise<ReceivedMessage> {
  for (;;) {
    const received = await broker.next();
    if (received.frames[2] !== "mmi.service") return received;
  }
}

const idOf = ({ frames }: ReceivedMessage): string => JSON.parse(frames[5] ?? "").id;
const ttlOf = ({ frames }: ReceivedMessage): number => JSON.parse(frames[5] ?? "").ttl;
