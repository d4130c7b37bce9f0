// The shipped services, through the real broker, from the shell, and from a project of one's own.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Program } from "./program.ts";
import { Stack } from "./stack.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** A project elsewhere that depends on this one, with a worker of this source. */
async function project(source: string) {
  const folder = await mkdtemp(join(tmpdir(), "majordomo-author-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(ROOT, join(folder, "node_modules", "majordomo"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  const worker = join(folder, "worker.ts");
  await writeFile(worker, source);
  return { worker, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

async function call(stack: Stack, ...args: string[]) {
  const program = stack.program("clients/call.ts", args);
  const { code } = await program.ended;
  return { code, output: program.output, errors: program.errors };
}

test("call: the reply, and exit codes that mean something", async () => {
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
  const [echo, math, fault, mmi, usage, timeout, id] = calls;
  // By itself, so that it has not given up when the broker's word comes.
  const nobody = await call(stack, "--timeout", "300", "nobody", "hello");
  assert.deepEqual(echo, { code: 0, output: "hello\n\nthere\n", errors: "" });
  assert.deepEqual(math, { code: 0, output: "42\n", errors: "" });
  assert.equal(fault?.code, 2);
  assert.match(fault?.errors ?? "", /^call: math returned 400: .*\n$/);
  assert.equal(nobody.code, 4);
  assert.match(nobody.errors, /^call: .*no worker.*: start a worker of nobody, or .*\n$/);
  assert.deepEqual(mmi, { code: 0, output: "200\n", errors: "" });
  for (const wrong of [usage, timeout, id]) {
    assert.equal(wrong?.code, 1);
    assert.match(wrong?.errors ?? "", /^call: .*\n$/);
  }
});

test("call: asked again under its id, a call is not executed again", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker("e2e/processes/slow.ts");
  const ask = () => call(stack, "--id", "a call that is asked again", "slow", "1");
  const answer = { code: 0, output: `${worker.pid}\n`, errors: "" };
  assert.deepEqual([await ask(), await ask()], [answer, answer]);
  assert.equal(worker.log.filter(({ event }) => event === "slow.began").length, 1);
});

test("db: what one worker stores, another finds", async () => {
  const folder = await mkdtemp(join(tmpdir(), "majordomo-db-"));
  await using stack = await Stack.start({ MDP_DB_FILE: join(folder, "documents.sqlite") });
  const first = await stack.worker("workers/db.ts");
  const ask = async (command: object) =>
    JSON.parse(String(await stack.client.request("db", JSON.stringify(command))));
  await ask({ command: "put", key: "user:1", value: { name: "Ada" } });
  await first.stop();
  await stack.worker("workers/db.ts");
  const found = await ask({ command: "get", key: "user:1" });
  assert.deepEqual(found, { key: "user:1", value: { name: "Ada" }, version: 1 });
  await assert.rejects(ask({ command: "get", key: "user:2" }), {
    name: "ServiceFailed",
    code: 404,
  });
  await rm(folder, { recursive: true });
});

test("load: every reply checked, a report that adds up, exit code 0", async () => {
  await using stack = await Stack.start();
  await stack.worker("workers/echo.ts");
  const load = stack.program("clients/load.ts", ["--mix", "echo", "--duration", "1", "--json"]);
  const { code } = await load.ended;
  const { total, passed } = JSON.parse(load.output);
  assert.deepEqual([code, passed], [0, true]);
  assert.ok(total.sent > 0);
  assert.equal(total.answered, total.sent);
  assert.deepEqual([total.lost, total.duplicated, total.wrong], [0, 0, 0]);
});

test("serve() works in a project of one's own that depends on this one", async () => {
  await using stack = await Stack.start();
  await using mine = await project(`
    import { serve } from "majordomo/worker";
    await serve("upper", ([text]) => String(text).toUpperCase());`);
  await stack.worker(mine.worker);
  assert.equal(String(await stack.client.request("upper", "hello")), "HELLO");
});

test("a handler's mistakes each cost a request, and the worker goes on", async () => {
  await using stack = await Stack.start();
  await using mine = await project(`
    import { serve, ServiceError } from "majordomo/worker";
    await serve("faulty", ([how]) => {
      if (String(how) === "throw") throw new Error("out of luck");
      if (String(how) === "refuse") throw new ServiceError(404, "no such thing");
      if (String(how) === "nothing") return undefined as never;
      if (String(how) === "no frames") return [];
      return "fine";
    });`);
  await stack.worker(mine.worker);
  const ask = (how: string) => stack.client.request("faulty", how);
  await assert.rejects(ask("throw"), { code: 500, message: "the service failed: out of luck" });
  await assert.rejects(ask("refuse"), { code: 404, message: "no such thing" });
  await assert.rejects(ask("nothing"), { code: 500, message: /a string or a Uint8Array/ });
  await assert.rejects(ask("no frames"), { code: 500, message: /at least one frame/ });
  assert.equal(String(await ask("be good")), "fine");
});

test("serve() refuses a name and a concurrency that the protocol has no room for", async () => {
  const wrong = [
    ["mmi.mine", 1],
    ["", 1],
    ["x".repeat(256), 1],
    ["x", 0],
    ["x", 1.5],
    ["x", 65_536],
  ] as const;
  for (const [name, concurrency] of wrong) {
    await using mine = await project(`
      import { serve } from "majordomo/worker";
      await serve("${name}", (body) => body, { concurrency: ${concurrency} });`);
    const program = new Program(mine.worker);
    assert.equal((await program.ended).code, 1);
    assert.match(program.errors, /RangeError/);
  }
});
