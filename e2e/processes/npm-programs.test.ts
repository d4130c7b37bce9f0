// The programs as npm and make start them, in a folder with a .env of its own.

import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { freeEndpoint, Program } from "./program.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** A copy of the project whose .env has a free port as MDP_PORT. */
async function copy(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "majordomo-npm-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ["package.json", "Makefile"])
    copyFileSync(join(ROOT, name), join(folder, name));
  for (const { name } of readdirSync(ROOT, { withFileTypes: true }).filter(isFolder))
    symlinkSync(join(ROOT, name), join(folder, name));
  const port = (await freeEndpoint()).split(":").at(-1);
  writeFileSync(join(folder, ".env"), `MDP_PORT=${port}\nMDP_BROKER=\nMDP_BIND=\n`);
  return { folder, port };
}

const isFolder = (entry: { name: string; isFile(): boolean }) =>
  !entry.isFile() && !entry.name.startsWith(".");

test("programs of npm and make: they read .env, take any body and pass SIGTERM on", async (t) => {
  const { folder, port } = await copy(t);
  const npm = (script: string, settings = {}) =>
    new Program(script, [], settings, ["npm", "run", "-s", "--prefix", folder]);
  const make = (target: string, variables: string[], settings = {}) =>
    // -o: the packages of this project are there, whatever the age of their folder.
    new Program(target, variables, settings, ["make", "-s", "-C", folder, "-o", "node_modules"]);
  const broker = npm("broker");
  t.after(() => broker.stop());
  const { endpoint } = await broker.logged("broker.listening");
  assert.equal(endpoint, `tcp://127.0.0.1:${port}`);
  const worker = npm("echo");
  t.after(() => worker.stop());
  await worker.logged("session.confirmed");

  const body = `it's "$HOME" $x $(BODY) \`date\` -- 2 * 2 ü`;
  const calls = [
    make("call", [`BODY=${body}`]),
    make("call", [], { BODY: body }),
    make("call", [`BODY=${body}`, `MDP_PORT=${port}`], { MDP_PORT: "1" }),
  ];
  for (const call of calls) {
    assert.equal((await call.ended).code, 0, call.errors);
    assert.equal(call.output, `${body}\n`);
  }
  const args = "ARGS=--duration 0.5 --json";
  const load = make("load", ["SERVICE=echo", `BODY=${body}`, args]);
  assert.equal((await load.ended).code, 0, load.errors);
  assert.ok(JSON.parse(load.output).services.echo.answered > 0);

  for (const [program, stopped] of [
    [worker, "worker.stopped"],
    [broker, "broker.stopped"],
  ] as const) {
    assert.deepEqual(await program.stop(), { code: 0, signal: null });
    assert.equal(program.all(stopped).length, 1);
  }
});

test("MDP_PORT is no port: a program without MDP_BROKER ends with one line", async () => {
  const call = new Program("clients/call.ts", ["echo"], { MDP_PORT: "high" });
  assert.equal((await call.ended).code, 1);
  assert.equal(call.errors, 'call: MDP_BROKER is not set, and MDP_PORT="high" is no port\n');
});
