// serve(): from a project that depends on this one, with errors of the handler, and when it stops.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { slowdown } from "../slowdown.ts";
import { transport } from "../transport.ts";
import { Program } from "./program.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";
const ROOT = new URL("../..", import.meta.url).pathname;

/** Another project, with this one in its node_modules and a worker of this source. */
async function project(source: string) {
  const folder = await mkdtemp(join(tmpdir(), "majordomo-author-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(ROOT, join(folder, "node_modules", "majordomo"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  const worker = join(folder, "worker.ts");
  await writeFile(worker, source);
  return { worker, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

test("serve() in a project that depends on this one: its service answers", async () => {
  await using stack = await Stack.start();
  await using upper = await project(`
    import { serve } from "majordomo/worker";
    await serve("upper", ([text]) => String(text).toUpperCase());`);
  await stack.worker(upper.worker);
  assert.equal(String(await stack.client.request("upper", "hello")), "HELLO");
});

test("worker registered: the log and mmi.workers have its address and port, except on libzmq", async () => {
  await using stack = await Stack.start();
  await stack.worker("workers/echo.ts");
  const { remote, who } = await stack.broker.logged("worker.registered");
  const [, json] = await stack.client.request("mmi.workers", "");
  assert.equal(JSON.parse(String(json))[0].remote, remote);
  assert.equal(who, null);
  const isLibzmq = transport.version.startsWith("libzmq");
  assert.match(String(remote), isLibzmq ? /^null$/ : /^127\.0\.0\.1:[0-9]+$/);
});

test("handler that throws or returns no reply: an error reply, and the worker continues", async () => {
  await using stack = await Stack.start({ MDP_MESSAGE_BYTES_MAX: "10000" });
  await using faulty = await project(`
    import { serve, ServiceError } from "majordomo/worker";
    await serve("faulty", ([how]) => {
      if (String(how) === "throw") throw new Error("out of luck");
      if (String(how) === "refuse") throw new ServiceError(404, "no such thing");
      if (String(how) === "nothing") return undefined as never;
      if (String(how) === "no frames") return [];
      if (String(how) === "throw unreadably") throw Object.create(null);
      if (String(how) === "holes") return new Array(3);
      if (String(how) === "too much") return "x".repeat(10_000);
      return "fine";
    });`);
  const worker = await stack.worker(faulty.worker);
  const ask = (how: string) => stack.client.request("faulty", how);
  await assert.rejects(ask("throw"), { status: 500, message: "the service failed: out of luck" });
  await assert.rejects(ask("refuse"), { status: 404, message: "no such thing" });
  await assert.rejects(ask("nothing"), {
    status: 500,
    message: /returned undefined; a frame is a string or a Uint8Array/,
  });
  await assert.rejects(ask("no frames"), { status: 500, message: /at least one frame/ });
  await assert.rejects(ask("throw unreadably"), {
    status: 500,
    message: /without a readable message/,
  });
  await assert.rejects(ask("holes"), { status: 500, message: /returned undefined/ });
  await assert.rejects(ask("too much"), { status: 500, message: /the reply has \d+ bytes/ });
  await worker.logged("reply.oversized", ({ request }) => /^[0-9a-f]{32}$/.test(String(request)));
  assert.equal(String(await ask("be good")), "fine");
});

test("handler that exceeds its time limit: an error reply, and the worker continues", async () => {
  const limitMs = Math.round(1000 * (await slowdown()));
  await using stack = await Stack.start({ MDP_TIME_LIMIT_MS: String(limitMs) });
  const worker = await stack.worker(SLOW);
  const message = `the service took longer than ${limitMs} ms`;
  await assert.rejects(stack.client.request("slow", "held"), {
    name: "ServiceFailed",
    status: 500,
    message,
  });
  await worker.logged("slow.aborted", ({ reason }) => reason === message);
  assert.equal(String((await stack.client.request("slow", "1"))[0]), String(worker.pid));
});

test("LOG_LEVEL=debug: the logs of broker and worker have one id per request, each line of the worker its name", async () => {
  const limitMs = Math.round(1000 * (await slowdown()));
  await using stack = await Stack.start({
    MDP_TIME_LIMIT_MS: String(limitMs),
    LOG_LEVEL: "debug",
  });
  const worker = await stack.worker(SLOW);
  await assert.rejects(stack.client.request("slow", "held"), { name: "ServiceFailed" });
  const { request, name } = await worker.logged("request.overran");
  assert.match(String(name), new RegExp(`:${worker.pid}$`));
  assert.equal((await worker.logged("worker.started")).name, name);
  for (const event of ["accepted", "delivered", "settled"])
    assert.equal((await stack.broker.logged(`request.${event}`)).request, request);
  const [, , json] = await stack.client.request("mmi.events", "0");
  const events: { event: string }[] = JSON.parse(String(json));
  assert.deepEqual(
    events.map(({ event }) => event),
    ["broker.listening", "worker.registered"],
  );
});

test("second SIGTERM: a busy worker aborts its handler and exits with code 143", async () => {
  await using stack = await Stack.start();
  const worker = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "held");
  reply.catch(() => {});
  await worker.logged("slow.began");
  // A signal that follows at once counts as the same one: npm repeats the signal of the terminal.
  while (worker.running) {
    worker.signal("SIGTERM");
    await setTimeout(50);
  }
  assert.deepEqual(await worker.ended, { code: 143, signal: null });
  await worker.logged("slow.aborted", ({ reason }) => reason === "the worker was stopped");
});

test("serve() with a name or a concurrency that the protocol cannot carry: exit code 1", async () => {
  const wrong = [
    ["mmi.mine", 1],
    ["", 1],
    ["x".repeat(256), 1],
    ["x", 0],
    ["x", 1.5],
    ["x", 65_536],
  ] as const;
  for (const [name, concurrency] of wrong) {
    await using mistaken = await project(`
      import { serve } from "majordomo/worker";
      await serve("${name}", (body) => body, { concurrency: ${concurrency} });`);
    const program = new Program(mistaken.worker);
    assert.equal((await program.ended).code, 1);
    assert.match(program.errors, /RangeError/);
  }
});
