// Each system in Node whose server is installed carries requests and replies. A load generator
// without its server ends with one sentence.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { withBarePeers, withClientLibrary, zeromqExample } from "../ours/our-systems.ts";
import { acceptsConnections } from "../process-group.ts";
import type { Program, Setting } from "../system.ts";
import { freePort } from "../workspace.ts";
import { ALTERNATIVES } from "./alternative-systems.ts";

const SETTING: Setting = {
  ...{
    clients: 2,
    outstanding: 8,
    bytes: 64,
    workers: 1,
    inOneProcess: false,
    services: 1,
    credit: 8,
  },
  ...{ warmupSeconds: 0.2, seconds: 1 },
};

const running: Running[] = [];
after(() => Promise.all(running.map((program) => program.stop())));

const OURS = [
  withClientLibrary("zmtp", 8),
  withClientLibrary("libzmq", 1),
  withBarePeers("zmtp", 8),
  withBarePeers("libzmq", 1),
  zeromqExample,
];

for (const system of [...OURS, ...ALTERNATIVES]) {
  test(`${system.name}: carries requests`, { skip: system.missing() ?? false }, async () => {
    const { requests, errors } = await measured(system.programs(SETTING, await workspace()));
    assert.ok(requests > 0);
    assert.equal(errors, 0);
  });
}

for (const system of ALTERNATIVES) {
  const skip = system.missing() ?? false;

  test(`${system.name}, several workers in one process: carries requests`, { skip }, async () => {
    const setting = { ...SETTING, workers: 3, inOneProcess: true, services: 3, credit: 1 };
    const { requests, errors } = await measured(system.programs(setting, await workspace()));
    assert.ok(requests > 0);
    assert.equal(errors, 0);
  });

  test(`${system.name}, no server: ends with exit code 1 and one sentence`, async () => {
    const programs = system.programs(SETTING, await workspace());
    const client = new Running(programs.at(-1) as Program);
    assert.equal(await client.ended, 1);
    assert.match(client.output, /^[\w-]+: .+\n$/);
  });
}

/** The result that the load generator, the last program, prints. */
async function measured(programs: Program[]): Promise<{ requests: number; errors: number }> {
  const started: Running[] = [];
  for (const program of programs) {
    const child = new Running(program);
    started.push(child);
    await child.ready();
  }
  const load = started.at(-1) as Running;
  assert.equal(await load.ended, 0, load.output);
  const [begun, done] = load.output.trim().split("\n");
  assert.deepEqual(JSON.parse(begun ?? ""), { event: "begun" });
  await Promise.all(started.map((program) => program.stop()));
  return JSON.parse(done ?? "");
}

class Running {
  readonly ended: Promise<number | null>;
  output = "";
  readonly #program: Program;
  readonly #child: ChildProcess;

  constructor(program: Program) {
    this.#program = program;
    const env = { ...process.env, ...program.env };
    this.#child = spawn(program.command, program.args, { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (text) => {
        this.output += text;
      });
    }
    this.ended = new Promise((resolve) => this.#child.on("close", (code) => resolve(code)));
    running.push(this);
  }

  async ready() {
    const deadline = performance.now() + 60_000;
    while (!(await this.#isReady())) {
      assert.equal(this.#child.exitCode, null, this.output);
      assert.ok(performance.now() < deadline, `not ready: ${this.#program.command} ${this.output}`);
      await setTimeout(20);
    }
  }

  async #isReady(): Promise<boolean> {
    const { ready } = this.#program;
    if (!ready) return true;
    return "port" in ready ? acceptsConnections(ready.port) : this.output.includes(ready.line);
  }

  async stop() {
    this.#child.kill();
    await this.ended;
  }
}

async function workspace(): Promise<{ port: number; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return { port: await freePort(), folder };
}
