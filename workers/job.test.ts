import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { decodeErrorReply } from "../protocol/error-reply.ts";
import type { Frame } from "../protocol/frame.ts";
import type { Metadata } from "../protocol/metadata.ts";
import type { WorkerEvent } from "./events.ts";
import { type Handler, Job, runHandler, ServiceError } from "./job.ts";

function job(client: Frame = Buffer.from("client"), metadata?: Metadata) {
  return new Job({ number: 1, client, metadata, body: [], deadline: 0, parts: [], size: 0 }, 0);
}

function run(handler: Handler) {
  const parts: string[] = [];
  const logged: WorkerEvent[] = [];
  const pass = (_: Job, body: Buffer[]) => parts.push(body.join(" "));
  const reply = runHandler(handler, job(), pass, (entry) => logged.push(entry));
  return { reply, parts, logged };
}

test("handler returns a string, bytes or both: the reply is there at once", () => {
  assert.deepEqual(run(() => "a").reply, [Buffer.from("a")]);
  assert.deepEqual(run(() => Buffer.from("b")).reply, [Buffer.from("b")]);
  assert.deepEqual(run(() => ["c", Buffer.from("d")]).reply, [Buffer.from("c"), Buffer.from("d")]);
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

for (const wrong of [undefined, null, 7, {}, [], [7], [null]]) {
  test(`handler returns ${JSON.stringify(wrong) ?? "undefined"}: error reply with code 500`, async () => {
    const handler = (() => wrong) as unknown as Handler;
    assert.equal(decodeErrorReply(await run(handler).reply)?.code, 500);
  });
}

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

const REQUEST_ID = "0123456789abcdef0000000000000001";

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
