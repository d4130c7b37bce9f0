import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { ServiceError } from "../worker.ts";
import { Calculator, EXPRESSION_CHARACTERS_MAX } from "./calculator.ts";

const SLOW = "fib(n) = n < 2 ? n : fib(n - 1) + fib(n - 2); fib(60)";

// A chain of functions, each of which holds the one before: some 100 MB of them.
const LARGE =
  "chain(f, n) = n < 1 ? f : chain(g(x) = f(x) + 1, n - 1);" +
  "chains(f, n) = n < 1 ? f : chains(chain(f, 500), n - 1); id(x) = x; chains(id, 500); 1";

const calculator = new Calculator();
before(() => calculator.ready());
after(() => calculator.close());

const answer = (...frames: (string | Buffer)[]) =>
  calculator.answer(frames.map((frame) => Buffer.from(frame)));

/** The sentence of the 400 that the frames are answered with. */
async function refusal(...frames: (string | Buffer)[]): Promise<string> {
  const error = await answer(...frames).then(
    (value) => assert.fail(`answered ${value}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ServiceError, String(error));
  assert.equal(error.code, 400);
  return error.message;
}

test("a body is one frame with an expression", async () => {
  assert.equal(await answer("2 + 2"), "4");
  assert.equal(await refusal("2 + * 3"), "2 + * 3: value expected at character 5");
  assert.equal(await refusal(), "one frame with an expression expected, got 0 frames");
  assert.equal(await refusal("1", "2"), "one frame with an expression expected, got 2 frames");
  assert.equal(await refusal(Buffer.of(0x31, 0xff)), "the expression is not UTF-8");
});

test("an expression has at most 1000 characters", async () => {
  const longest = "1".padEnd(EXPRESSION_CHARACTERS_MAX);
  assert.equal(await answer(longest), "1");
  const sentence = "the expression is too long: more than 1000 characters";
  assert.equal(await refusal(`${longest} `), sentence);
});

test("no name outlives its request", async () => {
  await Promise.all([answer("leak = 42; 1"), answer("leak = 42; 1"), answer("pi = 3; 1")]);
  for (let request = 0; request < 4; request += 1) {
    assert.equal(await refusal("leak"), "leak: undefined symbol leak at character 1");
    assert.equal(await answer("pi"), String(Math.PI));
  }
});

test("a slow expression is refused while others are answered and timers run", async (t) => {
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 10);
  t.after(() => clearInterval(timer));
  const slow = refusal(SLOW);
  assert.equal(await Promise.race([slow, answer("1 + 1")]), "2"); // In the other thread.
  // Of the next two, one takes the other thread and the last waits for a thread to be replaced.
  const later = Promise.all([refusal(SLOW), answer("2 + 2")]);
  assert.equal(await slow, "too long: more than 1000 ms of work");
  assert.deepEqual(await later, ["too long: more than 1000 ms of work", "4"]);
  assert.ok(ticks > 10, `${ticks} ticks`);
});

test("the time in which this process was itself stopped is not counted as work", async () => {
  const answered = answer("1 + 1");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200);
  assert.equal(await answered, "2");
});

test("an expression that eats memory loses its thread, and nothing else", async () => {
  // On a slow machine its time may be up before it has eaten enough.
  const sentence = /^too (large: more than 32 MB of memory|long: more than 1000 ms of work)$/;
  assert.match(await refusal(LARGE), sentence);
  assert.equal(await answer("1 + 1"), "2");
});

test("endless recursion and nesting cost a sentence, not a thread", async () => {
  assert.match(await refusal("f(n) = f(n - 1); f(1)"), /nested or recursing too deeply$/);
  assert.match(await refusal("(".repeat(1000)), /nested or recursing too deeply$/);
});

test("the threads start under plain node too", () => {
  const script = `
    import { Calculator } from ${JSON.stringify(new URL("./calculator.ts", import.meta.url))};
    const calculator = new Calculator();
    await calculator.ready();
    console.log(await calculator.answer([Buffer.from("2 + 2")]));
    await calculator.close();
  `;
  const plain = spawnSync(process.execPath, ["--input-type=module", "--eval", script]);
  assert.equal(String(plain.stderr), "");
  assert.equal(String(plain.stdout), "4\n");
});
