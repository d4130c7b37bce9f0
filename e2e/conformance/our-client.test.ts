// Our own client against a broker that is a script: MDP/Client as it speaks it, to brokers that know
// calls and to those that do not.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Client,
  type ClientOptions,
  Expired,
  NoBroker,
  NoWorker,
  Quarantined,
  QueueFull,
  Refused,
  ServiceFailed,
  ShuttingDown,
  TimedOut,
} from "../../clients/client.ts";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { type Heard, ScriptedBroker } from "./scripted.ts";

/** Short, so that a silent broker is soon found silent. */
const SILENCE_MS = 400;
/** Long, so that it is not. */
const PATIENT = { silenceMs: 60_000 };

const QUESTION = ["", "MDPC01", "mmi.service", "mmi.call"];

test("8/MMI, Default services: at first contact our client asks plainly whether mmi.call is there, and nothing else", async () => {
  await using own = await start(PATIENT);
  const replies = [own.client.request("echo", "1"), own.client.request("echo", "2")];
  const { from } = await own.broker.next();
  assert.deepEqual(
    own.broker.heard.map(({ frames }) => frames),
    [QUESTION],
  );
  await own.broker.says(from, ...QUESTION.slice(0, 3), "200");
  for (let nth = 0; nth < 2; nth += 1) await answers(own.broker, "200", "done");
  assert.deepEqual((await Promise.all(replies)).map(String), ["done", "done"]);
});

test("28/REQREP, The DEALER Socket Type: our client calls with six bytes and an empty frame before MDPC01", async () => {
  await using own = await knowing(PATIENT);
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
  await own.broker.says(own.peer, id, "", "MDPC01", "mmi.call", "200", "A", "", "B");
  assert.deepEqual((await reply).map(String), ["A", "", "B"]);
});

test("28/REQREP, The DEALER Socket Type: our client has many calls outstanding, and takes each reply for its own", async () => {
  await using own = await knowing(PATIENT);
  const numbers = Array.from({ length: 100 }, (_, nth) => String(nth));
  const replies = numbers.map((nth) => own.client.request("echo", nth));
  const calls: Heard[] = [];
  for (const _ of numbers) calls.push(await own.broker.next());
  assert.equal(new Set(calls.map(({ frames }) => frames[0])).size, 100);
  assert.equal(new Set(calls.map(({ frames }) => frames[5])).size, 100);
  for (const { frames } of calls.reverse()) {
    const [id = ""] = frames;
    await own.broker.says(own.peer, id, "", "MDPC01", "mmi.call", "200", `${frames[6]}!`);
  }
  assert.deepEqual(
    (await Promise.all(replies)).map(String),
    numbers.map((nth) => `${nth}!`),
  );
});

for (const code of ["404", "501"]) {
  test(`7/MDP, MDP/Client: a broker that answers ${code} is asked plainly, one request after the other`, async () => {
    await using own = await start(PATIENT);
    const replies = ["1", "2", "3"].map((nth) => own.client.request("echo", [nth, ""]));
    const peer = await own.broker.hears(...QUESTION);
    await own.broker.says(peer, ...QUESTION.slice(0, 3), code);
    let answeredAt = 0;
    for (const nth of ["1", "2", "3"]) {
      const { frames, from, at } = await own.broker.next();
      assert.deepEqual([from, ...frames], [peer, "", "MDPC01", "echo", nth, ""]);
      assert.ok(at >= answeredAt, "it was asked before the one before was answered");
      await own.broker.says(peer, "", "MDPC01", "no such service", "a stray");
      answeredAt = performance.now();
      await own.broker.says(peer, "", "MDPC01", "echo", nth, nth);
    }
    assert.deepEqual((await Promise.all(replies)).map(String), ["1,1", "2,2", "3,3"]);
  });
}

test("7/MDP, MDP/Client: a broker that does not answer the question within half of the silence is asked plainly", async () => {
  await using own = await start({ silenceMs: SILENCE_MS });
  const reply = own.client.request("echo", "hello");
  const { from, at } = await own.broker.next();
  const request = await own.broker.next();
  assert.deepEqual(request.frames, ["", "MDPC01", "echo", "hello"]);
  assert.equal(request.from, from);
  assert.ok(request.at - at > SILENCE_MS / 4, `asked after ${request.at - at} ms`);
  await own.broker.says(from, "", "MDPC01", "echo", "world");
  assert.equal(String(await reply), "world");
});

test("7/MDP, MDP/Client: a broker that is asked plainly and stays silent is asked again on a new socket", async () => {
  await using own = await start({ silenceMs: SILENCE_MS, tries: 5 });
  const reply = own.client.request("echo", "hello");
  const question = await own.broker.hears(...QUESTION);
  await own.broker.says(question, ...QUESTION.slice(0, 3), "501");
  const first = await plainRequest(own.broker);
  const again = await plainRequest(own.broker);
  assert.notEqual(again.from, first.from);
  assert.deepEqual(again.frames, first.frames);
  assert.ok(again.at - first.at > SILENCE_MS / 2, `asked again after ${again.at - first.at} ms`);
  await own.broker.says(again.from, "", "MDPC01", "echo", "world");
  assert.equal(String(await reply), "world");
});

test("Ours: the reply to a plain request that was given up is not taken for the next one's", async () => {
  await using own = await start(PATIENT);
  const given = own.client.request("echo", "1", { timeoutMs: SILENCE_MS });
  const peer = await own.broker.hears(...QUESTION);
  await own.broker.says(peer, ...QUESTION.slice(0, 3), "501");
  await own.broker.hears("", "MDPC01", "echo", "1");
  await assert.rejects(given, TimedOut);
  const reply = own.client.request("echo", "2");
  await own.broker.says(peer, "", "MDPC01", "echo", "to the first");
  const next = await plainRequest(own.broker);
  assert.notEqual(next.from, peer);
  assert.deepEqual(next.frames, ["", "MDPC01", "echo", "2"]);
  await own.broker.says(next.from, "", "MDPC01", "echo", "to the second");
  assert.equal(String(await reply), "to the second");
});

test("Ours: a plain reply that is a service's no is ServiceFailed", async () => {
  await using own = await start(PATIENT);
  const reply = own.client.request("echo", "1");
  reply.catch(() => {});
  const peer = await own.broker.hears(...QUESTION);
  await own.broker.says(peer, ...QUESTION.slice(0, 3), "404");
  await own.broker.hears("", "MDPC01", "echo", "1");
  await own.broker.says(peer, "", "MDPC01", "echo", "it is not so", "mmi.error", "409");
  await assert.rejects(reply, { name: "ServiceFailed", code: 409, message: "it is not so" });
});

test("8/MMI, Default services: a broker that answers a call with a lone 501 is asked plainly", async () => {
  await using own = await knowing(PATIENT);
  const reply = own.client.request("echo", "hello");
  const { frames } = await own.broker.next();
  await own.broker.says(own.peer, frames[0] ?? "", "", "MDPC01", "mmi.call", "501");
  await own.broker.hears("", "MDPC01", "echo", "hello");
  await own.broker.says(own.peer, "", "MDPC01", "echo", "world");
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
  ["without its empty frame", "ID", "MDPC01", "mmi.call", "200", "no"],
  ["with two empty frames", "ID", "", "", "MDPC01", "mmi.call", "200", "no"],
  ["without an envelope", "", "MDPC01", "mmi.call", "200", "no"],
  ["of another service", "ID", "", "MDPC01", "math", "200", "no"],
  ["of the service itself", "ID", "", "MDPC01", "echo", "no"],
  ["of an unknown header", "ID", "", "MDPX01", "mmi.call", "200", "no"],
  ["without a body", "ID", "", "MDPC01", "mmi.call"],
  ["without anything", ""],
  ["that is junk", "\xff\xfe"],
  ["that is a worker's REQUEST", "", "MDPW01", "\x02", "ID", "", "200", "no"],
  ["that is a worker's DISCONNECT", "", "MDPW01", "\x05"],
  ["of ten thousand frames", ...Array<string>(10_000).fill("ID")],
] as [string, ...string[]][]) {
  test(`Ours: our client ignores a reply ${what}, and takes the right one`, async () => {
    await using own = await knowing(PATIENT);
    const reply = own.client.request("echo", "hello");
    const { frames } = await own.broker.next();
    const [id = ""] = frames;
    await own.broker.says(own.peer, ...stray.map((frame) => (frame === "ID" ? id : frame)));
    await own.broker.says(own.peer, id, "", "MDPC01", "mmi.call", "200", "yes");
    assert.equal(String(await reply), "yes");
    assert.equal(own.broker.heard.length, 1);
  });
}

test("Ours: a second reply to one call is passed on to nobody", async () => {
  await using own = await knowing(PATIENT);
  for (const nth of ["1", "2"]) {
    const reply = own.client.request("echo", nth);
    const [id = ""] = (await own.broker.next()).frames;
    for (const body of [nth, "again", "and again"]) {
      await own.broker.says(own.peer, id, "", "MDPC01", "mmi.call", "200", body);
    }
    assert.equal(String(await reply), nth);
  }
  await until("the duplicates to be counted", () => own.client.stray.duplicate === 4);
});

for (const [status, Kind] of [
  ["400", Refused],
  ["404", NoWorker],
  ["408", Expired],
  ["429", QueueFull],
  ["500", Refused],
  ["502", Quarantined],
] as const) {
  test(`Ours, mmi.call: the broker's ${status} is ${Kind.name}, with its sentence`, async () => {
    await using own = await knowing(PATIENT);
    const reply = own.client.request("echo", "hello");
    reply.catch(() => {});
    await answers(own.broker, status, "this is why");
    await assert.rejects(reply, (error) => {
      assert.ok(error instanceof Refused);
      assert.equal(error.constructor, Kind);
      assert.deepEqual([error.status, error.message], [Number(status), "this is why"]);
      return true;
    });
  });
}

test("Ours, mmi.call: a service's no is ServiceFailed, with its code and sentence", async () => {
  await using own = await knowing(PATIENT);
  for (const code of ["400", "404", "500"]) {
    const reply = own.client.request("echo", "hello");
    reply.catch(() => {});
    await answers(own.broker, code, "this is why", "mmi.error", code);
    await assert.rejects(reply, (error) => {
      assert.ok(error instanceof ServiceFailed);
      assert.deepEqual([error.code, error.message], [Number(code), "this is why"]);
      return true;
    });
  }
});

test("Ours, mmi.call: at 503 the same call is made again, and it is ShuttingDown once its time is over", async () => {
  await using own = await knowing(PATIENT);
  own.broker.reflex = ({ from, frames: [id = ""] }) =>
    void own.broker.says(from, id, "", "MDPC01", "mmi.call", "503", "going");
  await assert.rejects(own.client.request("echo", "hello", { timeoutMs: 1000 }), ShuttingDown);
  const [first, ...more] = own.broker.heard as [Heard, ...Heard[]];
  assert.ok(more.length > 0, "it was asked once");
  for (const again of more) {
    assert.deepEqual(again.frames.toSpliced(5, 1), first.frames.toSpliced(5, 1));
    assert.equal(idOf(again), idOf(first));
  }
});

test("Ours: a broker that owes an answer and is silent is asked for a sign of life, and that is enough", async () => {
  await using own = await knowing({ silenceMs: SILENCE_MS });
  const reply = own.client.request("echo", "slow");
  const call = await own.broker.next();
  for (let nth = 0; nth < 4; nth += 1) {
    assert.equal(await own.broker.hears(...QUESTION), own.peer);
    await own.broker.says(own.peer, ...QUESTION.slice(0, 3), "200");
  }
  await own.broker.says(own.peer, call.frames[0] ?? "", "", "MDPC01", "mmi.call", "200", "done");
  assert.equal(String(await reply), "done");
  assert.equal(own.client.retries, 0);
});

test("7/MDP, MDP/Client: a broker that stays silent is asked anew on a new socket, and the call keeps its name", async () => {
  await using own = await knowing({ silenceMs: SILENCE_MS, tries: 5 });
  const reply = own.client.request("echo", "hello", { timeoutMs: 20_000 });
  const call = await own.broker.next();
  await own.broker.hears(...QUESTION);
  const peer = await own.broker.hears(...QUESTION);
  assert.notEqual(peer, own.peer);
  await own.broker.says(peer, ...QUESTION.slice(0, 3), "200");
  const again = await own.broker.next();
  assert.deepEqual(again.frames.slice(1, 5), call.frames.slice(1, 5));
  assert.equal(idOf(again), idOf(call));
  assert.ok(ttlOf(again) < ttlOf(call));
  await own.broker.says(own.peer, call.frames[0] ?? "", "", "MDPC01", "mmi.call", "200", "old");
  await own.broker.says(peer, again.frames[0] ?? "", "", "MDPC01", "mmi.call", "200", "new");
  assert.equal(String(await reply), "new");
  assert.equal(own.client.retries, 1);
});

test("7/MDP, MDP/Client: after three silences there is NoBroker", async () => {
  await using own = await knowing({ silenceMs: SILENCE_MS / 2 });
  await assert.rejects(own.client.request("echo", "hello"), NoBroker);
  assert.equal(new Set(own.broker.heard.map(({ from }) => from)).size, 3);
});

test("Ours: a call without an answer is TimedOut, a moment after its time", async () => {
  await using own = await knowing(PATIENT);
  const began = performance.now();
  await assert.rejects(own.client.request("echo", "hello", { timeoutMs: 100 }), TimedOut);
  assert.ok(performance.now() - began >= 100);
  assert.equal(own.broker.heard.length, 1);
});

test("7/MDP, MDP/Client: a broker that was restarted is asked the question anew, and then the same call", async () => {
  await using own = await knowing({ silenceMs: 5000 });
  const reply = own.client.request("echo", "hello");
  const call = await own.broker.next();
  await using next = await own.broker.restarts();
  const peer = await next.hears(...QUESTION);
  await next.says(peer, ...QUESTION.slice(0, 3), "200");
  const again = await next.next();
  assert.equal(idOf(again), idOf(call));
  await next.says(peer, again.frames[0] ?? "", "", "MDPC01", "mmi.call", "200", "done");
  assert.equal(String(await reply), "done");
});

test("8/MMI, Default services: our client asks the broker's own services by themselves, not through a call", async () => {
  await using own = await knowing(PATIENT);
  const reply = own.client.request("mmi.service", "echo");
  const { frames } = await own.broker.next();
  const [id = ""] = frames;
  assert.equal(id.length, 6);
  assert.deepEqual(frames.slice(1), ["", "MDPC01", "mmi.service", "echo"]);
  await own.broker.says(own.peer, id, "", "MDPC01", "mmi.service", "404");
  assert.equal(String(await reply), "404");
});

test("18/MDP, MDP/Client: for a reply in parts our client calls in MDPC02, and yields PARTIALs and FINAL", async () => {
  await using own = await knowing(PATIENT);
  const parts: string[] = [];
  const reading = (async () => {
    for await (const frames of own.client.stream("count", "3")) parts.push(String(frames));
  })();
  const { frames } = await own.broker.next();
  const [id = "", empty, header, command, name, service, , ...body] = frames;
  assert.deepEqual([empty, header, command, name], ["", "MDPC02", "\x01", "mmi.call"]);
  assert.deepEqual([service, ...body], ["count", "3"]);
  for (const part of ["1", "2"]) {
    await own.broker.says(own.peer, id, "", "MDPC02", "\x02", "mmi.call", "206", part);
    await until("it to come", () => parts.at(-1) === part);
  }
  await own.broker.says(own.peer, id, "", "MDPC02", "\x03", "mmi.call", "200", "3");
  await reading;
  assert.deepEqual(parts, ["1", "2", "3"]);
});

test("18/MDP, MDP/Client: a stream that breaks off is the broker's 502, after the parts that came", async () => {
  await using own = await knowing(PATIENT);
  const parts: string[] = [];
  const reading = (async () => {
    for await (const frames of own.client.stream("count", "3")) parts.push(String(frames));
  })();
  reading.catch(() => {});
  const [id = ""] = (await own.broker.next()).frames;
  await own.broker.says(own.peer, id, "", "MDPC02", "\x02", "mmi.call", "206", "1");
  await own.broker.says(own.peer, id, "", "MDPC02", "\x03", "mmi.call", "502", "it is lost");
  await assert.rejects(reading, Quarantined);
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

/** A client that has learnt that this broker knows calls: it is asked nothing more of that. */
async function knowing(options: ClientOptions) {
  const own = await start(options);
  try {
    return { ...own, peer: await teaches(own.broker, own.client) };
  } catch (error) {
    await own[Symbol.asyncDispose]();
    throw error;
  }
}

async function teaches(broker: ScriptedBroker, client: Client): Promise<string> {
  const reply = client.request("mmi.service", "anything");
  reply.catch(() => {});
  const peer = await broker.hears(...QUESTION);
  await broker.says(peer, ...QUESTION.slice(0, 3), "200");
  const [id = ""] = (await broker.next()).frames;
  await broker.says(peer, id, "", "MDPC01", "mmi.service", "404");
  await reply;
  broker.forgets();
  return peer;
}

/** Answers the next call. Gives it back. */
async function answers(broker: ScriptedBroker, ...answer: string[]): Promise<Heard> {
  const call = await broker.next();
  const [id = "", empty, header, name] = call.frames;
  assert.deepEqual([empty, header, name], ["", "MDPC01", "mmi.call"]);
  await broker.says(call.from, id, "", "MDPC01", "mmi.call", ...answer);
  return call;
}

/** The next request that is no question. */
async function plainRequest(broker: ScriptedBroker): Promise<Heard> {
  for (;;) {
    const heard = await broker.next();
    if (heard.frames[2] !== "mmi.service") return heard;
  }
}

const idOf = ({ frames }: Heard): string => JSON.parse(frames[5] ?? "").id;
const ttlOf = ({ frames }: Heard): number => JSON.parse(frames[5] ?? "").ttl;
