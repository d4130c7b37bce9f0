import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { pino } from "pino";
import { decodeErrorReply } from "../protocol/error-reply.ts";
import type { Frame } from "../protocol/frame.ts";
import type { Metadata } from "../protocol/metadata.ts";
import type { WorkerEvent } from "./events.ts";
import { type Handler, Job, outcomeOf, runHandler, ServiceError } from "./job.ts";

const REQUEST_ID = "0123456789abcdef0000000000000001";

function job(client: Frame = Buffer.from("client"), metadata?: Metadata) {
  return new Job(
    { number: 1, client, metadata, body: [], deadline: 0, parts: [], size: 0, oversized: false },
    0,
  );
}

function run(handler: Handler, client?: Frame) {
  const parts: string[] = [];
  const logged: WorkerEvent[] = [];
  const pass = (_: Job, body: Buffer[]) => parts.push(body.join(" "));
  const reply = runHandler(handler, job(client), pass, (entry) => logged.push(entry));
  return { reply, parts, logged };
}

test("handler returns a string, bytes or both: the reply is there at once", () => {
  assert.deepEqual(run(() => "a").reply, [Buffer.from("a")]);
  assert.deepEqual(run(() => Buffer.from("b")).reply, [Buffer.from("b")]);
  assert.deepEqual(run(() => ["c", Buffer.from("d")]).reply, [Buffer.from("c"), Buffer.from("d")]);
});

test("handler fills one buffer again for each reply and part: each has its own bytes", async () => {
  const scratch = Buffer.alloc(2);
  const replies = ["a", "b"].map((letter) => run(() => scratch.fill(letter)).reply);
  assert.deepEqual(replies.map(String), ["aa", "bb"]);
  const passed: Frame[][] = [];
  async function* parts() {
    for (const letter of ["c", "d"]) yield [scratch.fill(letter)];
  }
  await runHandler(
    parts,
    job(),
    (_, body) => passed.push(body),
    () => {},
  );
  assert.deepEqual(passed.map(String), ["cc", "dd"]);
});

test("handler returns a promise, also of another realm: the reply follows", async () => {
  assert.deepEqual(await run(async () => "a").reply, [Buffer.from("a")]);
  const other = runInNewContext("Promise.resolve('b')");
  assert.deepEqual(await run(() => other).reply, [Buffer.from("b")]);
});

test("handler throws or rejects: error reply, logged unless it is a ServiceError", async () => {
  const missing = () => {
    throw new ServiceError(404, "no such thing");
  };
  const broken = () => {
    throw new Error("out of order");
  };
  for (const later of [false, true]) {
    const rejected = run(later ? async () => missing() : missing);
    const failure = decodeErrorReply(await rejected.reply);
    assert.deepEqual(failure, { code: 404, sentence: "no such thing" });
    const failed = run(later ? async () => broken() : broken);
    const sentence = "the service failed: out of order";
    assert.deepEqual(decodeErrorReply(await failed.reply), { code: 500, sentence });
    assert.deepEqual([rejected.logged.length, failed.logged.length], [0, 1]);
  }
});

for (const wrong of [undefined, null, 7, {}, [], [7], [null], new Array(3), [undefined, "a"]]) {
  const title = JSON.stringify(wrong) ?? "undefined";
  test(`handler returns ${title}: error reply with code 500, logged with its id`, async () => {
    for (const handler of [() => wrong, async () => wrong]) {
      const { reply, logged } = run(handler as unknown as Handler, Buffer.from(REQUEST_ID, "hex"));
      const failure = decodeErrorReply(await reply);
      assert.equal(failure?.code, 500);
      assert.match(String(failure?.sentence), /^the service failed: the handler returned /);
      const [entry, ...others] = logged;
      assert.ok(entry?.event === "request.failed" && others.length === 0);
      assert.equal(entry.request, REQUEST_ID);
    }
  });
}

test("handler returns an object: the sentence has the way to send one", async () => {
  const reply = run((() => ({ a: 1 })) as unknown as Handler).reply;
  assert.match(
    String(decodeErrorReply(await reply)?.sentence),
    /: return JSON.stringify\(value\)$/,
  );
});

const refuses = () => {
  throw new Error("not readable");
};
const unreadableMessage = Object.defineProperty(new Error(), "message", { get: refuses });
const unreadableCode = new ServiceError(404, "no such thing");
Object.defineProperty(unreadableCode, "code", { get: refuses });
const badCode = Object.assign(new ServiceError(404, "no such thing"), { code: 200 });
const HOSTILE: [string, unknown][] = [
  ["an object without a prototype", Object.create(null)],
  ["an error with a message that throws", unreadableMessage],
  ["an error with a message that is no text", Object.assign(new Error(), { message: {} })],
  ["a value with a toString that throws", { toString: refuses }],
  ["a Proxy that throws", new Proxy(new Error(), { get: refuses, getPrototypeOf: refuses })],
  ["a ServiceError with a code that throws", unreadableCode],
  ["a ServiceError whose code was changed to 200", badCode],
  ["undefined", undefined],
  ["a symbol", Symbol("none")],
];
for (const [title, thrown] of HOSTILE) {
  test(`handler throws ${title}: error reply with code 500, one log line with its id`, async () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => lines.push(line) });
    const throws = () => {
      throw thrown;
    };
    const yields = async function* () {
      yield "a";
      throws();
    };
    for (const handler of [throws, async () => throws(), yields] as Handler[]) {
      const request = job(Buffer.from(REQUEST_ID, "hex"));
      const reply = await runHandler(
        handler,
        request,
        () => {},
        (entry) => log.error(entry),
      );
      assert.equal(decodeErrorReply(reply)?.code, 500);
    }
    const ids = lines.map((line) => JSON.parse(line).request);
    assert.deepEqual(ids, [REQUEST_ID, REQUEST_ID, REQUEST_ID]);
  });
}

test("generator yields no reply body: closed, so its finally runs; error reply", async () => {
  for (const finallyFails of [false, true]) {
    let closed = false;
    const { reply, parts } = run(async function* () {
      try {
        yield "a";
        yield 7 as unknown as string;
        yield "b";
      } finally {
        closed = true;
        if (finallyFails) refuses();
      }
    });
    const failure = decodeErrorReply(await reply);
    assert.equal(failure?.code, 500);
    assert.match(String(failure?.sentence), /returned number/);
    assert.deepEqual([closed, parts], [true, ["a"]]);
  }
});

test("ServiceError with a code that is no error: RangeError with the code", () => {
  for (const code of [302, Number.NaN, 600, undefined, "404"]) {
    assert.throws(() => new ServiceError(code as 400, "no"), {
      name: "RangeError",
      message: new RegExp(`the code of an error reply is "?${code}"?, not a whole number`),
    });
  }
});

test("outcome of a handler: answered, failed, aborted; a reply that is too large failed", () => {
  const [reply, error] = [
    [Buffer.from("a")],
    ["no", "mmi.error", "500"].map((x) => Buffer.from(x)),
  ];
  assert.equal(outcomeOf(job(), reply), "answered");
  assert.equal(outcomeOf(job(), error), "failed");
  const aborted = job();
  aborted.abort(new Error("too late"));
  assert.equal(outcomeOf(aborted, reply), "aborted");
  aborted.request.oversized = true;
  assert.equal(outcomeOf(aborted, reply), "failed");
});

test("handler yields: parts passed on, the returned value is the last part", async () => {
  const { reply, parts } = run(async function* () {
    yield "a";
    yield ["b", "c"];
    return "d";
  });
  assert.deepEqual(await reply, [Buffer.from("d")]);
  assert.deepEqual(parts, ["a", "b c"]);
});

test("job aborted: its signal is aborted, whether first read before or after", () => {
  const [before, after] = [job(), job()];
  const { signal } = before;
  assert.equal(signal.aborted, false);
  for (const each of [before, after]) each.abort(new Error("the broker is gone"));
  assert.equal(signal.reason.message, "the broker is gone");
  assert.equal(after.signal.reason.message, "the broker is gone");
  assert.equal(after.signal, after.signal);
});

function idsOf(client: Frame, metadata?: Metadata) {
  const { id, requestId } = job(client, metadata);
  return { id, requestId };
}

test("caller gave a call id: the id for the handler, in the scope of the caller's key", () => {
  const client = Buffer.from(REQUEST_ID, "hex");
  const callId = "call-id-0123456789";
  const metadata = { delivery: 1, msLeft: 5000, progress: false, callId, by: null, headers: null };
  assert.deepEqual(idsOf(client, metadata), { id: callId, requestId: REQUEST_ID });
  const scoped = idsOf(client, { ...metadata, by: "alice" });
  assert.deepEqual(scoped, { id: `alice\0${callId}`, requestId: REQUEST_ID });
  const anonymous = idsOf(client, { ...metadata, callId: null, by: "alice" });
  assert.deepEqual(anonymous, { id: REQUEST_ID, requestId: REQUEST_ID });
});

test("no metadata: the request id is the id for the handler; another client address: null", () => {
  const client = Buffer.from(REQUEST_ID, "hex");
  assert.deepEqual(idsOf(client), { id: REQUEST_ID, requestId: REQUEST_ID });
  assert.deepEqual(idsOf(Buffer.from("client")), { id: null, requestId: null });
});
