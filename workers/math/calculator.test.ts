import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { ServiceError } from "../worker.ts";
import { Calculator, EXPRESSION_CHARACTERS_MAX } from "./calculator.ts";

const SLOW = "fib(n) = n < 2 ? n : fib(n - 1) + fib(n - 2); fib(60)";

// A chain of functions, each of which references the one before: about 100 MB.
const LARGE =
  "chain(f, n) = n < 1 ? f : chain(g(x) = f(x) + 1, n - 1);" +
  "chains(f, n) = n < 1 ? f : chains(chain(f, 500), n - 1); id(x) = x; chains(id, 500); 1";

const calculator = new Calculator();
before(() => calculator.ready());
after(() => calculator.close());

const answer = (...frames: (string | Buffer)[]) =>
  calculator.answer(
    frames.map((frame) => Buffer.from(frame)),
    new AbortController().signal,
  );

/** The sentence of the error reply, which has code 400. */
async function rejection(...frames: (string | Buffer)[]): Promise<string> {
  const error = await answer(...frames).then(
    (value) => assert.fail(`answered ${value}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ServiceError, String(error));
  assert.equal(error.code, 400);
  return error.message;
}

test("body of one frame: evaluated; any other body: 400", async () => {
  assert.equal(await answer("2 + 2"), "4");
  assert.equal(await rejection("2 + * 3"), "2 + * 3: value expected at character 5");
  assert.equal(await rejection(), "one frame with an expression expected, got 0 frames");
  assert.equal(await rejection("1", "2"), "one frame with an expression expected, got 2 frames");
  assert.equal(await rejection(Buffer.of(0x31, 0xff)), "the expression is not UTF-8");
});

test("expression of more than 1000 characters: 400", async () => {
  const longest = "1".padEnd(EXPRESSION_CHARACTERS_MAX);
  assert.equal(await answer(longest), "1");
  const sentence = "the expression is too long: more than 1000 characters";
  assert.equal(await rejection(`${longest} `), sentence);
});

test("request defines a name: undefined for the next request", async () => {
  await Promise.all([answer("leak = 42; 1"), answer("leak = 42; 1"), answer("pi = 3; 1")]);
  for (let request = 0; request < 4; request += 1) {
    assert.equal(await rejection("leak"), "leak: undefined symbol leak at character 1");
    assert.equal(await answer("pi"), String(Math.PI));
  }
});

test("slow expression: 400 after its time limit, other expressions and timers go on", async (t) => {
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 10);
  t.after(() => clearInterval(timer));
  const slow = rejection(SLOW);
  assert.equal(await Promise.race([slow, answer("1 + 1")]), "2"); // It uses the other thread.
  // The first of these takes the other thread; the second waits until a thread is replaced.
  const later = Promise.all([rejection(SLOW), answer("2 + 2")]);
  assert.equal(await slow, "too long: more than 1000 ms of work");
  assert.deepEqual(await later, ["too long: more than 1000 ms of work", "4"]);
  assert.ok(ticks > 10, `${ticks} ticks`);
});

test("process did not run for 1.2 s: not counted as work", async () => {
  const answered = answer("1 + 1");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200);
  assert.equal(await answered, "2");
});

test("expression exceeds its memory: 400, the next is evaluated", async () => {
  // On a slow machine it may reach the time limit first.
  const sentence = /^too (large: more than 32 MB of memory|long: more than 1000 ms of work)$/;
  assert.match(await rejection(LARGE), sentence);
  assert.equal(await answer("1 + 1"), "2");
});

test("endless recursion or nesting: 400, the thread survives", async () => {
  assert.match(await rejection("f(n) = f(n - 1); f(1)"), /nested or recursing too deeply$/);
  assert.match(await rejection("(".repeat(1000)), /nested or recursing too deeply$/);
});

test("requests given up: neither a thread nor the queue has them, the next is evaluated", async () => {
  const controller = new AbortController();
  const body = [Buffer.from(SLOW)];
  const given = Array.from({ length: 20 }, () => calculator.answer(body, controller.signal));
  const ended = Promise.allSettled(given);
  const reason = new Error("the client cancelled the call");
  controller.abort(reason);
  // Each of the 20 would otherwise take a second of one of two threads.
  const next = answer("1 + 1");
  assert.deepEqual(await ended, Array(20).fill({ status: "rejected", reason }));
  assert.equal(await next, "2");
  const aborted = AbortSignal.abort(reason);
  await assert.rejects(calculator.answer(body, aborted), reason);
});

test("threads killed: no file stays open", { skip: !existsSync("/proc/self/fd") }, async () => {
  const openFiles = () => readdirSync("/proc/self/fd").length;
  const killBoth = async () => {
    await Promise.all([rejection(SLOW), rejection(SLOW)]);
    await Promise.all([answer("1"), answer("1")]);
  };
  await killBoth();
  const before = openFiles();
  for (let times = 0; times < 3; times += 1) await killBoth();
  assert.ok(openFiles() <= before + 2, `${openFiles()} open files after ${before}`);
});

test("node without tsx: the threads start", () => {
  const script = `
    import { Calculator } from ${JSON.stringify(new URL("./calculator.ts", import.meta.url))};
    const calculator = new Calculator();
    await calculator.ready();
    console.log(await calculator.answer([Buffer.from("2 + 2")], new AbortController().signal));
    await calculator.close();
  `;
  const plain = spawnSync(process.execPath, ["--input-type=module", "--eval", script]);
  assert.equal(String(plain.stderr), "");
  assert.equal(String(plain.stdout), "4\n");
});
