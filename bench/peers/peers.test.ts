// Each contender in Node whose server is installed carries requests there and back; and peers say so
// if they cannot.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Program, Setting } from "../contender.ts";
import { naive, shipped, thin } from "../ours/contenders.ts";
import { PEERS } from "./contenders.ts";

const SETTING: Setting = {
  ...{ clients: 2, outstanding: 8, bytes: 64, workers: 1, packed: false, services: 1, credit: 8 },
  ...{ warmupSeconds: 0.2, seconds: 1 },
};

const running: Running[] = [];
after(() => Promise.all(running.map((program) => program.stop())));

const OURS = [shipped("zmtp", 8), shipped("libzmq", 1), thin("zmtp", 8), thin("libzmq", 1), naive];

for (const contender of [...OURS, ...PEERS]) {
  test(`${contender.name} carries requests`, { skip: contender.missing() ?? false }, async () => {
    const { requests, errors } = await measured(contender.programs(SETTING, await place()));
    assert.ok(requests > 0);
    assert.equal(errors, 0);
  });
}

for (const peer of PEERS) {
  const skip = peer.missing() ?? false;

  test(`${peer.name} carries requests to connections of one worker process`, { skip }, async () => {
    const setting = { ...SETTING, workers: 3, packed: true, services: 3, credit: 1 };
    const { requests, errors } = await measured(peer.programs(setting, await place()));
    assert.ok(requests > 0);
    assert.equal(errors, 0);
  });

  test(`${peer.name} says in one line that there is no server`, async () => {
    const programs = peer.programs(SETTING, await place());
    const client = new Running(programs.at(-1) as Program);
    assert.equal(await client.ended, 1);
    assert.match(client.told, /^[\w-]+: .+\n$/);
  });
}

/** What the last of the programs reports, the load. */
async function measured(programs: Program[]): Promise<{ requests: number; errors: number }> {
  const started: Running[] = [];
  for (const program of programs) {
    const child = new Running(program);
    started.push(child);
    await child.ready();
  }
  const load = started.at(-1) as Running;
  assert.equal(await load.ended, 0, load.told);
  const [begun, done] = load.told.trim().split("\n");
  assert.deepEqual(JSON.parse(begun ?? ""), { event: "begun" });
  await Promise.all(started.map((program) => program.stop()));
  return JSON.parse(done ?? "");
}

class Running {
  readonly ended: Promise<number | null>;
  told = "";
  readonly #program: Program;
  readonly #child: ChildProcess;

  constructor(program: Program) {
    this.#program = program;
    const env = { ...process.env, ...program.env };
    this.#child = spawn(program.command, program.args, { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (text) => {
        this.told += text;
      });
    }
    this.ended = new Promise((resolve) => this.#child.on("close", (code) => resolve(code)));
    running.push(this);
  }

  async ready() {
    const deadline = performance.now() + 60_000;
    while (!(await this.#isReady())) {
      assert.equal(this.#child.exitCode, null, this.told);
      assert.ok(performance.now() < deadline, `not ready: ${this.#program.command} ${this.told}`);
      await setTimeout(20);
    }
  }

  async #isReady(): Promise<boolean> {
    const { ready } = this.#program;
    if (!ready) return true;
    return "port" in ready ? listens(ready.port) : this.told.includes(ready.line);
  }

  async stop() {
    this.#child.kill();
    await this.ended;
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("connect", () => socket.destroy());
    socket.on("error", () => resolve(false));
  });
}

async function place(): Promise<{ port: number; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), "peer-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return { port: await freePort(), folder };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
