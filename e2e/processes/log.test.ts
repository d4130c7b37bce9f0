// The log of the broker on a terminal and on a pipe. Where nobody reads it, on a full disk or on a broken
// pipe, the broker serves on, and ends in time.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { Client } from "../../clients/client.ts";
import { parseMetrics, sumOf } from "../prometheus-text.ts";
import { transport } from "../transport.ts";
import { until } from "../until.ts";
import { freeEndpoint, Program } from "./program.ts";

/** Enough for more than 1 MiB of log lines at level debug. */
const REQUESTS = 3000;

/** A broker that logs each step of each request to this file or pipe, with a worker and a client. */
async function start(t: TestContext, stdout: number | "pipe") {
  const [endpoint, health] = [await freeEndpoint(), await freeEndpoint()];
  const port = String(new URL(health).port);
  const settings = { MDP_BIND: endpoint, MDP_HEALTH_PORT: port, LOG_LEVEL: "debug" };
  const broker = spawn(process.execPath, ["--import", "tsx", "broker/main.ts"], {
    env: { ...process.env, ...settings },
    stdio: ["ignore", stdout, "inherit"],
  });
  if (stdout !== "pipe") closeSync(stdout);
  t.after(() => broker.kill("SIGKILL"));
  const worker = new Program("workers/echo.ts", [], { MDP_BROKER: endpoint });
  t.after(() => worker.destroy());
  await worker.logged("session.confirmed");
  const client = new Client(endpoint, { transport });
  t.after(() => client.close());
  return { broker, client, port };
}

async function serves(client: Client) {
  for (let nth = 0; nth < REQUESTS; nth += 100) {
    const replies = Array.from({ length: 100 }, () => client.request("echo", "hello"));
    for (const [body] of await Promise.all(replies)) assert.equal(String(body), "hello");
  }
}

async function droppedLines(port: string): Promise<number> {
  const page = await fetch(`http://127.0.0.1:${port}/metrics`);
  return sumOf(parseMetrics(await page.text()), "mdp_log_lines_dropped_total");
}

async function ends(broker: ChildProcess) {
  const ended = once(broker, "exit");
  broker.kill("SIGTERM");
  assert.deepEqual(await ended, [0, null]);
}

/** Reads the log. Every line is whole, and one line has the number of the dropped ones. */
async function checkLog(log: Readable, dropped: number, stop: () => void) {
  const events: string[] = [];
  for await (const line of createInterface({ input: log })) {
    const { event, count } = JSON.parse(line);
    events.push(event);
    if (event !== "log.resumed") continue;
    assert.equal(count, dropped);
    stop();
  }
  assert.equal(events[0], "broker.listening");
  assert.equal(events.filter((event) => event === "log.resumed").length, 1);
  assert.equal(events.at(-1), "broker.stopped");
}

function fifo() {
  const path = join(mkdtempSync(join(tmpdir(), "mdp-")), "fifo");
  assert.equal(spawnSync("mkfifo", [path]).status, 0);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, "w") };
}

test("pipe whose reader sleeps: the broker serves, drops lines and reports them later", async (t) => {
  const { reader, writer } = fifo();
  const { broker, client, port } = await start(t, writer);
  await serves(client);
  const dropped = await droppedLines(port);
  assert.ok(dropped > 0);
  const log = new Socket({ fd: reader, readable: true, writable: false });
  t.after(() => log.destroy());
  await checkLog(log, dropped, () => broker.kill("SIGTERM"));
});

test("socket whose reader sleeps: the broker serves, drops lines and reports them later", async (t) => {
  const { broker, client, port } = await start(t, "pipe"); // Node makes a socket pair.
  await serves(client);
  const dropped = await droppedLines(port);
  assert.ok(dropped > 0);
  await checkLog(broker.stdout as Readable, dropped, () => broker.kill("SIGTERM"));
});

test("pipe whose reader never wakes: a stop signal ends the broker", async (t) => {
  const { reader, writer } = fifo();
  t.after(() => closeSync(reader));
  const { broker, client } = await start(t, writer);
  await serves(client);
  await ends(broker);
});

test("broken pipe: the broker serves, counts dropped lines, and ends at a stop signal", async (t) => {
  const { reader, writer } = fifo();
  const { broker, client, port } = await start(t, writer);
  closeSync(reader);
  await serves(client);
  await until("dropped lines", async () => (await droppedLines(port)) > 0);
  await ends(broker);
});

test("full disk: the broker serves, counts dropped lines, and ends at a stop signal", {
  skip: process.platform !== "linux",
}, async (t) => {
  const { broker, client, port } = await start(t, openSync("/dev/full", "w"));
  await serves(client);
  assert.ok((await droppedLines(port)) > 0);
  await ends(broker);
});

/** Returns the first line of a broker whose standard output is a terminal. */
async function onTerminal(t: TestContext, settings: Record<string, string>): Promise<string> {
  const command = `exec ${process.execPath} --import tsx broker/main.ts`;
  const terminal = spawn("script", ["--quiet", "--command", command, "/dev/null"], {
    env: { PATH: process.env.PATH, TERM: "xterm", MDP_BIND: await freeEndpoint(), ...settings },
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(() => terminal.kill("SIGTERM"));
  const [line] = await once(createInterface({ input: terminal.stdout }), "line");
  return line;
}

const PLAIN = /^\d\d:\d\d:\d\d\.\d{3} {2}broker {3}listening on /;

test("terminal: lines for people, in colors unless NO_COLOR is set; JSON if LOG_FORMAT says so", {
  skip: process.platform !== "linux",
}, async (t) => {
  const colored = await onTerminal(t, {});
  assert.notEqual(stripVTControlCharacters(colored), colored);
  assert.match(stripVTControlCharacters(colored), PLAIN);
  assert.match(await onTerminal(t, { NO_COLOR: "1" }), PLAIN);
  assert.equal(JSON.parse(await onTerminal(t, { LOG_FORMAT: "json" })).event, "broker.listening");
});

test("pipe: JSON; lines for people without colors if LOG_FORMAT says so", async (t) => {
  const firstLine = async (settings: Record<string, string>) => {
    const env = { ...process.env, MDP_BIND: await freeEndpoint(), ...settings };
    const broker = spawn(process.execPath, ["--import", "tsx", "broker/main.ts"], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => broker.kill("SIGKILL"));
    const [line] = await once(createInterface({ input: broker.stdout }), "line");
    return line;
  };
  assert.equal(JSON.parse(await firstLine({})).event, "broker.listening");
  assert.match(await firstLine({ LOG_FORMAT: "pretty" }), PLAIN);
});
