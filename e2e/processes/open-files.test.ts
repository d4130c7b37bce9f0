// A broker without free open files: it serves the connections that it has.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Client } from "../../clients/client.ts";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { freeEndpoint, Program } from "./program.ts";

const OPEN_FILES_MAX = 300;
const SH = ["sh", "-c", `ulimit -n ${OPEN_FILES_MAX}; exec "$0" "$@"`];
const LIMITED = [...SH, process.execPath, "--import", "tsx"];

const skip = process.platform !== "linux";

const portOf = (endpoint: string) => Number(new URL(endpoint).port);

/** A broker with few files, and an established client. */
async function start(t: TestContext, settings: Record<string, string> = {}) {
  const endpoint = await freeEndpoint();
  const broker = new Program("broker/main.ts", [], { ...settings, MDP_BIND: endpoint }, LIMITED);
  t.after(() => broker.destroy());
  await broker.logged("broker.listening");
  const client = new Client(endpoint, { transport, tries: 1, silenceMs: 10_000 });
  t.after(() => client.close());
  await serves(client);
  return { endpoint, broker, client };
}

async function serves(client: Client) {
  assert.equal(String((await client.request("mmi.service", "echo"))[0]), "404");
}

/** The broker serves this client for longer than the 5 s between two looks at its memory. */
async function goesOnServing(client: Client) {
  for (const end = performance.now() + 6000; performance.now() < end; ) {
    await serves(client);
    await setTimeout(100);
  }
}

/** Opens so many connections that send nothing. Resolves when more are established than files. */
async function idleConnections(t: TestContext, endpoint: string, count: number) {
  let established = 0;
  for (let nth = 0; nth < count; nth += 1) {
    const socket = connect({ host: "127.0.0.1", port: portOf(endpoint) });
    t.after(() => socket.destroy());
    socket.on("error", () => {}).resume();
    socket.once("connect", () => {
      established += 1;
    });
  }
  await until("more connections than files", () => established > OPEN_FILES_MAX);
}

test("600 idle connections, 300 open files: the broker serves its client", { skip }, async (t) => {
  const { endpoint, client } = await start(t, { MDP_CONNECTIONS_MAX: "10000" });
  await Promise.all([idleConnections(t, endpoint, 2 * OPEN_FILES_MAX), goesOnServing(client)]);
});

test("default bound of connections: 100 files are free, and the log has the address of the peer", {
  skip: skip || !transport.version.startsWith("zmtp"),
}, async (t) => {
  const { endpoint, broker, client } = await start(t);
  const idle = idleConnections(t, endpoint, 2 * OPEN_FILES_MAX);
  const { event, reason, from } = await broker.logged("connections.refused");
  assert.deepEqual(
    { event, reason, from },
    { event: "connections.refused", reason: "too many unfinished handshakes", from: "127.0.0.1" },
  );
  await Promise.all([idle, goesOnServing(client)]);
  const files = readdirSync(`/proc/${broker.pid}/fd`).length;
  assert.ok(files < OPEN_FILES_MAX - 50, `${files} open files`);
});

test("no file for a connection: the broker serves its client, and new ones when it has files", {
  skip,
}, async (t) => {
  const health = portOf(await freeEndpoint());
  const { endpoint, broker, client } = await start(t, { MDP_HEALTH_PORT: String(health) });
  const limit = (openFiles: number) =>
    spawnSync("prlimit", [`--pid=${broker.pid}`, `--nofile=${openFiles}:`]);
  assert.equal(limit(5).status, 0);
  const live = fetch(`http://127.0.0.1:${health}/livez`);
  const newcomer = new Client(endpoint, { transport, tries: 30, silenceMs: 1000 });
  t.after(() => newcomer.close());
  const served = serves(newcomer);
  await goesOnServing(client);
  limit(OPEN_FILES_MAX);
  await served;
  assert.equal((await live).status, 200);
});
