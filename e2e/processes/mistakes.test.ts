// Mistakes of a user: each program prints one line and exits with code 1, without a stack trace.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { until } from "../until.ts";
import { freeEndpoint, Program } from "./program.ts";

const PROGRAMS = ["broker/main.ts", "workers/echo.ts", "workers/math.ts", "workers/db.ts"];

async function fails(program: Program, expected: RegExp) {
  const { code } = await program.ended;
  assert.equal(code, 1, program.errors);
  assert.match(program.errors, expected);
  assert.equal(program.errors.trim().split("\n").length, 1, program.errors);
}

for (const file of [...PROGRAMS, "clients/load.ts", "clients/call.ts"]) {
  test(`${file} with bad settings: the error names every bad value`, async () => {
    const endpoint = file.startsWith("broker") ? "MDP_BIND" : "MDP_BROKER";
    const settings = { [endpoint]: "tcp://localhost:70000", MDP_HEARTBEAT_INTERVAL_MS: "soon" };
    const program = new Program(file, file.includes("clients") ? ["echo"] : [], settings);
    const both = new RegExp(`${endpoint}="tcp://localhost:70000" is not`);
    await fails(program, both);
    if (!file.includes("clients")) assert.match(program.errors, /MDP_HEARTBEAT_INTERVAL_MS="soon"/);
  });
}

for (const [file, ...args] of [
  ["broker/main.ts"],
  ["workers/db.ts"],
  ["clients/call.ts", "echo"],
]) {
  test(`${file} with a mistyped setting: one warning with the nearest name`, async () => {
    const settings = { MDP_HEARTBEAT_INTERVALL_MS: "100", MDP_PORT: "high" };
    const program = new Program(file as string, args, settings);
    assert.equal((await program.ended).code, 1);
    const [warning, error, ...rest] = program.errors.trim().split("\n");
    const sentence = "is no setting; the nearest one is MDP_HEARTBEAT_INTERVAL_MS";
    assert.match(
      warning ?? "",
      new RegExp(`^\\w+: warning: MDP_HEARTBEAT_INTERVALL_MS ${sentence}$`),
    );
    assert.match(error ?? "", /MDP_PORT="high" is no port$/);
    assert.deepEqual(rest, []);
  });
}

test("port of the broker in use: the broker exits with code 1", async () => {
  const MDP_BIND = await freeEndpoint();
  const first = new Program("broker/main.ts", [], { MDP_BIND });
  await first.logged("broker.listening");
  await fails(new Program("broker/main.ts", [], { MDP_BIND }), /cannot listen .*already in use/);
  await first.stop();
});

test("port of the health check in use: the broker exits with code 1 before it listens", async () => {
  const [MDP_BIND, other] = [await freeEndpoint(), await freeEndpoint()];
  const MDP_HEALTH_PORT = String(MDP_BIND.split(":").at(-1));
  const first = new Program("broker/main.ts", [], { MDP_BIND });
  await first.logged("broker.listening");
  const second = new Program("broker/main.ts", [], { MDP_BIND: other, MDP_HEALTH_PORT });
  await fails(second, /cannot serve health checks on port \d+: .*in use/);
  assert.equal(second.output, "");
  await first.stop();
});

for (const file of PROGRAMS.filter((program) => program.startsWith("workers"))) {
  test(`port of the health check in use: ${file} exits with code 1 before anything else`, async () => {
    const MDP_BROKER = await freeEndpoint();
    const MDP_HEALTH_PORT = String(MDP_BROKER.split(":").at(-1));
    const broker = new Program("broker/main.ts", [], { MDP_BIND: MDP_BROKER });
    await broker.logged("broker.listening");
    const MDP_DB_FILE = join(mkdtempSync(join(tmpdir(), "mdp-")), "documents.sqlite");
    const worker = new Program(file, [], { MDP_BROKER, MDP_HEALTH_PORT, MDP_DB_FILE });
    await fails(worker, /cannot serve health checks on port \d+: .*in use/);
    assert.equal(worker.output, "");
    assert.equal(existsSync(MDP_DB_FILE), false);
    await broker.stop();
  });
}

test("database that is down: the health port of db is open, and db is live and not ready", async () => {
  const [database, health] = [await freeEndpoint(), await freeEndpoint()];
  const port = (endpoint: string) => String(endpoint.split(":").at(-1));
  const worker = new Program("workers/db.ts", [], {
    DATABASE_URL: `postgres://nobody@127.0.0.1:${port(database)}/none`,
    MDP_HEALTH_PORT: port(health),
  });
  const statusOf = (page: string) =>
    fetch(`http://127.0.0.1:${port(health)}/${page}`).then(
      ({ status }) => status,
      () => null,
    );
  await until("the health port of db", async () => (await statusOf("livez")) === 200);
  assert.equal(await statusOf("readyz"), 503);
  await worker.stop();
});

test("address of another machine: the broker exits with code 1", async () => {
  const MDP_BIND = "tcp://192.0.2.1:5555";
  await fails(new Program("broker/main.ts", [], { MDP_BIND }), /cannot listen on tcp:..192.0.2.1/);
});

test("no broker: call and load name the endpoint and the next step", async () => {
  const MDP_BROKER = await freeEndpoint();
  for (const [file, ...args] of [["clients/call.ts", "echo", "hi"], ["clients/load.ts"]]) {
    const program = new Program(file as string, args, { MDP_BROKER });
    assert.equal((await program.ended).code, 1);
    const [first, last, ...rest] = program.errors.trim().split("\n");
    assert.match(first ?? "", /cannot connect to tcp.*; next try in \d+ ms$/);
    assert.match(last ?? "", /no broker answers at tcp.*broker/);
    assert.deepEqual(rest, []);
  }
});

test("no broker: the conformance suite ends before its first case", async () => {
  const MDP_BROKER = await freeEndpoint();
  const suite = new Program("conformance", [], { MDP_BROKER }, ["npm", "run", "-s"]);
  await fails(suite, /cannot connect to tcp.*MDP_BROKER/);
});
