// TCP keep-alive with peers of ZMTP 3.0. Linux lists which of its timers runs for a connection.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import * as libzmq from "./libzmq.ts";
import type { Transport } from "./transport.ts";
import { encodeGreeting } from "./zmtp/connection.ts";
import { encodeCommand } from "./zmtp/frames.ts";
import * as zmtp from "./zmtp/sockets.ts";

const DEAD_AFTER_MS = 5000;
const skip = process.platform !== "linux" && "only Linux lists the timers of connections";

/** The code that the list has for the timer of keep-alive. */
const KEEP_ALIVE = "02";

/** The timer of the connection from this local port to that one, and when it fires, in ms. */
function timerOf(localPort: number, remotePort: number) {
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, "0");
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n")) {
    const [, local, remote, , , timer = ""] = line.trim().split(/\s+/);
    if (!local?.endsWith(`:${hex(localPort)}`) || !remote?.endsWith(`:${hex(remotePort)}`))
      continue;
    const [code, when = ""] = timer.split(":");
    return { code, ms: 10 * Number.parseInt(when, 16) };
  }
  return { code: "no connection", ms: 0 };
}

/** Resolves once TCP waits to probe the connection, after a silence of `idleMs` at most. */
async function hasKeepAlive(localPort: number, remotePort: number, idleMs = DEAD_AFTER_MS) {
  const deadline = performance.now() + 60_000;
  let timer = timerOf(localPort, remotePort);
  for (; timer.code !== KEEP_ALIVE; timer = timerOf(localPort, remotePort)) {
    assert.ok(performance.now() < deadline, `the timer is ${timer.code}`);
    await pause(10);
  }
  assert.ok(timer.ms > 0 && timer.ms <= idleMs, `probes after ${timer.ms} ms`);
}

const GREETING_BYTES = 64;

async function until(isTrue: () => boolean) {
  const deadline = performance.now() + 60_000;
  while (!isTrue()) {
    assert.ok(performance.now() < deadline, "no answer of the broker");
    await pause(5);
  }
}

/** The greeting and READY of a peer of ZMTP 3.x, where x is the minor version. */
function handshake(socketType: string, minorVersion: number): Buffer {
  const size = String.fromCharCode(socketType.length);
  const type = Buffer.from(`\x0bSocket-Type\0\0\0${size}${socketType}`, "latin1");
  const greeting = Buffer.from(encodeGreeting()).fill(minorVersion, 11, 12);
  return Buffer.concat([greeting, encodeCommand("READY", type)]);
}

async function bound(t: TestContext, { bind }: Transport) {
  const received = Promise.withResolvers<void>();
  const events = { message: () => received.resolve(), gone() {}, refused() {} };
  const limits = { frameBytesMax: 1000, unsentBytesMax: 2 ** 20, deadAfterMs: DEAD_AFTER_MS };
  const broker = await bind("tcp://127.0.0.1:0", limits, events);
  t.after(() => broker.close());
  return { port: Number(broker.endpoint.split(":").at(-1)), received: received.promise };
}

/** A peer that connects, and sends one message after its handshake. */
async function peerOf(t: TestContext, port: number, minorVersion: number): Promise<number> {
  const socket = connectTcp({ port, host: "127.0.0.1" });
  t.after(() => socket.destroy());
  await once(socket, "connect");
  const greeting = handshake("DEALER", minorVersion);
  socket.write(greeting.subarray(0, GREETING_BYTES));
  let received = "";
  socket.setEncoding("latin1").on("data", (bytes) => (received += bytes));
  await until(() => received.length >= GREETING_BYTES);
  socket.write(greeting.subarray(GREETING_BYTES));
  await until(() => received.includes("READY"));
  socket.write("\0\x02hi");
  return socket.localPort as number;
}

/** Connects to a peer of ZMTP 3.0. Resolves to the ports of the connection. */
async function connected(
  t: TestContext,
  { connect }: Transport,
  deadAfterMs: number,
): Promise<[local: number, remote: number]> {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const events = { opened() {}, message() {}, gone() {}, failed() {} };
  const connection = connect(`tcp://127.0.0.1:${port}`, { deadAfterMs }, events);
  t.after(() => connection.close(0));
  const [socket] = (await once(server, "connection")) as [Socket];
  t.after(() => socket.destroy());
  socket.write(handshake("ROUTER", 0));
  return [socket.remotePort as number, port];
}

for (const transport of [zmtp, libzmq]) {
  const { version } = transport;

  test(`${version} binds, peer of ZMTP 3.0: TCP probes the connection`, { skip }, async (t) => {
    const broker = await bound(t, transport);
    const port = await peerOf(t, broker.port, 0);
    await hasKeepAlive(broker.port, port);
  });

  test(`${version} connects, peer of ZMTP 3.0: TCP probes the connection`, { skip }, async (t) => {
    await hasKeepAlive(...(await connected(t, transport, DEAD_AFTER_MS)));
  });
}

test("zmtp, peer that knows PING: TCP does not probe the connection", { skip }, async (t) => {
  const broker = await bound(t, zmtp);
  const port = await peerOf(t, broker.port, 1);
  await broker.received;
  assert.notEqual(timerOf(broker.port, port).code, KEEP_ALIVE);
});

test("shortest and longest heartbeat: the system accepts the time of keep-alive", {
  skip,
}, async (t) => {
  await hasKeepAlive(...(await connected(t, zmtp, 20)), 1000);
  await hasKeepAlive(...(await connected(t, zmtp, 360_000_000)), 32_767_000);
});
