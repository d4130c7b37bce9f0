// Each native program with its clients and workers: every request gets its reply, and bad arguments
// end the program with one sentence. Not a unit test: it needs gcc and the tools of toolchain.ts.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { acceptsConnections } from "../process-group.ts";
import type { Program, Setting, System } from "../system.ts";
import { freePort } from "../workspace.ts";
import {
  guideBroker,
  nativeLoad,
  nativeWorkers,
  netEcho,
  plainBroker,
  pythonBroker,
  zmqProxy,
} from "./native-systems.ts";
import { binaryOf } from "./toolchain.ts";

const LIMIT = { timeout: 60_000 };

const ourBroker: System = {
  name: "this project's broker",
  missing: () => null,
  programs(setting, { port }) {
    const endpoint = `tcp://127.0.0.1:${port}`;
    const args = ["--import", "tsx", "broker/main.ts"];
    const env = { MDP_BIND: endpoint, LOG_LEVEL: "warn" };
    return [
      { role: "broker", command: process.execPath, args, env, ready: { port } },
      ...nativeWorkers(setting, endpoint),
      nativeLoad(setting, endpoint),
    ];
  },
};

const one: Setting = {
  clients: 1,
  outstanding: 1,
  bytes: 64,
  workers: 2,
  inOneProcess: false,
  services: 1,
  credit: 1,
  warmupSeconds: 0.1,
  seconds: 0.3,
};

const SETTINGS: Record<string, Setting> = {
  "one at a time": one,
  "64 outstanding": { ...one, outstanding: 64 },
  credit: { ...one, outstanding: 64, credit: 16 },
  "body as short as the correlation": { ...one, outstanding: 64, bytes: 8 },
  "long bodies": { ...one, outstanding: 8, bytes: 1_000_000, seconds: 2 },
  "many clients, workers and services": {
    ...one,
    clients: 50,
    outstanding: 100,
    workers: 40,
    inOneProcess: true,
    services: 20,
  },
};

for (const system of [ourBroker, guideBroker, plainBroker, pythonBroker, zmqProxy, netEcho]) {
  describe(system.name, { skip: system.missing() ?? false }, () => {
    for (const [name, setting] of Object.entries(SETTINGS)) {
      test(`${name}: every request gets its reply`, LIMIT, async () => {
        await using running = new Programs();
        const programs = system.programs(setting, { port: await freePort(), folder: "" });
        for (const program of programs.slice(0, -1)) await running.start(program);
        const load = await running.start(programs.at(-1) as Program);
        assert.deepEqual(await load.line(), { event: "begun" });
        const { event, requests, seconds, p50, p99, p999, errors } = await load.line();
        assert.deepEqual({ event, errors }, { event: "done", errors: 0 });
        assert.ok(requests > 0 && seconds >= 0.3 && seconds < 30, `${requests} in ${seconds} s`);
        assert.ok(0 < p50 && p50 <= p99 && p99 <= p999, `${p50} ${p99} ${p999}`);
        assert.equal(await load.ended, 0);
      });
    }
  });
}

for (const [program, libraries, ...args] of [
  ["load", [], "--outstanding", "many"],
  ["load", [], "--outstanding", "0"],
  ["load", [], "--endpoint"],
  ["load", [], "--endpoint", "tcp://127.0.0.1:1"],
  ["load", [], "--endpoint", "nowhere"],
  ["worker", [], "--what"],
  ["worker", []],
  ["plain_broker", ["zmq"]],
  ["plain_broker", ["zmq"], "--endpoint", "nowhere"],
  ["proxy", ["zmq"], "--clients", "tcp://127.0.0.1:0"],
  ["guide_broker", ["czmq", "zmq"], "--endpoint", "nowhere"],
] satisfies [string, string[], ...string[]][]) {
  test(`${[program, ...args].join(" ")}: ends with one sentence`, LIMIT, () => {
    const { status, stdout, stderr } = spawnSync(binaryOf(program, libraries), args);
    assert.deepEqual({ status, stdout: `${stdout}` }, { status: 1, stdout: "" });
    assert.match(`${stderr}`, new RegExp(`^${program}: .+\n$`));
  });
}

test("SIGTERM: each program ends at once", LIMIT, async () => {
  await using running = new Programs();
  const programs = plainBroker.programs(one, { port: await freePort(), folder: "" });
  const started: Started[] = [];
  for (const program of programs) started.push(await running.start(program));
  for (const { child, ended } of started.reverse()) {
    child.kill("SIGTERM");
    await ended;
    assert.equal(child.signalCode, "SIGTERM");
  }
});

// biome-ignore lint/suspicious/noExplicitAny: the test checks the fields of a line.
type Line = any;

type Started = { child: ChildProcess; ended: Promise<number | null>; line(): Promise<Line> };

class Programs {
  #started: Started[] = [];

  async start(program: Program): Promise<Started> {
    const child = spawn(program.command, program.args, {
      cwd: join(import.meta.dirname, "../.."),
      env: { ...process.env, ...program.env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => {
      const { value, done } = await lines.next();
      assert.ok(!done, `${program.command} ended`);
      return value;
    };
    const started = { child, ended, line: async () => JSON.parse(await next()) };
    this.#started.push(started);
    if (program.ready && "line" in program.ready) assert.equal(await next(), program.ready.line);
    else if (program.ready) await reachable(program.ready.port);
    return started;
  }

  async [Symbol.asyncDispose]() {
    for (const { child } of this.#started) child.kill("SIGKILL");
    await Promise.all(this.#started.map(({ ended }) => ended));
  }
}

async function reachable(port: number) {
  const deadline = performance.now() + 20_000;
  while (!(await acceptsConnections(port))) {
    assert.ok(performance.now() < deadline, `no server listens on port ${port}`);
    await setTimeout(5);
  }
}
