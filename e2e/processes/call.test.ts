// The program `call`: output, errors and exit codes. That of `call --stream` is in streams.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../until.ts";
import { Stack } from "./stack.ts";

async function call(stack: Stack, ...args: string[]) {
  const program = stack.program("clients/call.ts", args);
  const { code } = await program.ended;
  return { code, output: program.output, errors: program.errors };
}

test("call: prints the reply or one line of error; the exit code names the outcome", async () => {
  await using stack = await Stack.start();
  await Promise.all([stack.worker("workers/echo.ts"), stack.worker("workers/math.ts")]);
  const calls = await Promise.all([
    call(stack, "echo", "hello", "", "there"),
    call(stack, "math", "-2 + 44"),
    call(stack, "math", "2 + * 3"),
    call(stack, "mmi.service", "echo"),
    call(stack),
    call(stack, "--timeout", "soon", "echo"),
    call(stack, "--id", "short", "echo"),
  ]);
  const [echo, math, serviceError, mmi, usage, timeout, id] = calls;
  assert.deepEqual(echo, { code: 0, output: "hello\n\nthere\n", errors: "" });
  assert.deepEqual(math, { code: 0, output: "42\n", errors: "" });
  assert.equal(serviceError?.code, 2);
  assert.match(serviceError?.errors ?? "", /^call: math returned 400: .*\n$/);
  assert.deepEqual(mmi, { code: 0, output: "200\n", errors: "" });
  for (const mistake of [usage, timeout, id]) {
    assert.equal(mistake?.code, 1);
    assert.match(mistake?.errors ?? "", /^call: .*\n$/);
  }
});

test("call to a service without a worker: exit code 4, and advice to start one", async () => {
  await using stack = await Stack.start();
  const ADVICE = /^call: .*no worker.*: start a worker of nobody, or .*\n$/;
  // On a busy machine the verdict of the broker may come too late for the client.
  await until("the advice that follows from the broker's verdict", async () => {
    const { code, errors } = await call(stack, "--timeout", "300", "nobody", "hello");
    assert.equal(code, 4);
    return ADVICE.test(errors);
  });
});

test("call repeated with its id: the same reply, and one execution", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker("e2e/processes/slow.ts");
  const ask = () => call(stack, "--id", "an id of 16 bytes", "slow", "1");
  const answer = { code: 0, output: `${worker.pid}\n`, errors: "" };
  assert.deepEqual([await ask(), await ask()], [answer, answer]);
  assert.equal(worker.all("slow.began").length, 1);
});

test("Ctrl-C: exit code 130, and the signal of the handler aborts", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker("e2e/processes/slow.ts");
  for (const options of [[], ["--stream"]]) {
    const from = worker.log.length;
    const program = stack.program("clients/call.ts", [...options, "slow", "held"]);
    await worker.logged("slow.began", () => true, { from });
    program.signal("SIGINT");
    assert.equal((await program.ended).code, 130);
    assert.deepEqual([program.output, program.errors], ["", ""]);
    const isCancelled = ({ reason }: { [field: string]: unknown }) =>
      /cancelled the call/.test(String(reason));
    await worker.logged("slow.aborted", isCancelled, { from });
  }
});
