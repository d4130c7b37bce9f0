import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { decodeErrorReply } from "../protocol/error-reply.ts";
import type { WorkerEvent } from "./events.ts";
import { answer, type Handler, Job, ServiceError } from "./job.ts";

function job(client = Buffer.from("client")) {
  return new Job({ number: 1, client, body: [], deadline: 0, parts: [], size: 0 }, 0);
}

function ask(handler: Handler, asked = job()) {
  const parts: string[] = [];
  const logged: WorkerEvent[] = [];
  const pass = (_: Job, body: Buffer[]) => parts.push(body.join(" "));
  const answered = answer(handler, asked, pass, (entry) => logged.push(entry));
  return { answered, parts, logged };
}

test("what a handler knows at once is answered at once", () => {
  assert.deepEqual(ask(() => "a").answered, [Buffer.from("a")]);
  assert.deepEqual(ask(() => Buffer.from("b")).answered, [Buffer.from("b")]);
  assert.deepEqual(ask(() => ["c", Buffer.from("d")]).answered, [
    Buffer.from("c"),
    Buffer.from("d"),
  ]);
});

test("what a handler promises is waited for, whosever promise it is", async () => {
  assert.deepEqual(await ask(async () => "a").answered, [Buffer.from("a")]);
  const other = runInNewContext("Promise.resolve('b')");
  assert.deepEqual(await ask(() => other).answered, [Buffer.from("b")]);
});

test("what a handler throws, now or later, is its no; what is none of ours is logged", async () => {
  const no = () => {
    throw new ServiceError(404, "no such thing");
  };
  const broken = () => {
    throw new Error("out of order");
  };
  for (const later of [false, true]) {
    const refused = ask(later ? async () => no() : no);
    const failure = decodeErrorReply(await refused.answered);
    assert.deepEqual(failure, { code: 404, sentence: "no such thing" });
    const failed = ask(later ? async () => broken() : broken);
    const sentence = "the service failed: out of order";
    assert.deepEqual(decodeErrorReply(await failed.answered), { code: 500, sentence });
    assert.deepEqual([refused.logged.length, failed.logged.length], [0, 1]);
  }
});

for (const wrong of [undefined, null, 7, {}, [], [7], [null]]) {
  test(`an answer is made of frames, not of ${JSON.stringify(wrong) ?? "nothing"}`, async () => {
    const handler = (() => wrong) as unknown as Handler;
    assert.equal(decodeErrorReply(await ask(handler).answered)?.code, 500);
  });
}

test("parts are passed on, and what is returned is the last one", async () => {
  const { answered, parts } = ask(async function* () {
    yield "a";
    yield ["b", "c"];
    return "d";
  });
  assert.deepEqual(await answered, [Buffer.from("d")]);
  assert.deepEqual(parts, ["a", "b c"]);
});

test("a signal tells of an abort, whether it was looked at before or after", () => {
  const [before, after] = [job(), job()];
  const { signal } = before;
  assert.equal(signal.aborted, false);
  for (const each of [before, after]) each.abort(new Error("the broker is gone"));
  assert.equal(signal.reason.message, "the broker is gone");
  assert.equal(after.signal.reason.message, "the broker is gone");
  assert.equal(after.signal, after.signal);
});

test("a request has an id if its broker has one", () => {
  const address = Buffer.from("0123456789abcdef0000000000000001", "hex");
  assert.equal(job(address).id, "0123456789abcdef0000000000000001");
  assert.equal(job(Buffer.from("client")).id, null);
});
