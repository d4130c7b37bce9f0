// Tests of the transport in TypeScript alone. transport.test.ts has those that both transports pass.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import {
  type AddressInfo,
  connect as connectSocket,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Dealer, Publisher } from "zeromq";
import type { PeerInfo, RefusedConnection } from "../../protocol/frame.ts";
import { mailbox } from "../mailbox.testing.ts";
import { type Binding, type ConnectFailure, reasonOf } from "../transport.ts";
import { encodeGreeting } from "./connection.ts";
import { remoteOf } from "./dial.ts";
import { encodeCommand } from "./frames.ts";
import { bind, connect } from "./sockets.ts";

const socketFile = () => join(mkdtempSync(join(tmpdir(), "mdp-")), "socket");
const BINDING = { frameBytesMax: 1000, unsentBytesMax: 2 ** 20, deadAfterMs: 10_000 };

async function bound(t: TestContext, path: string, binding: Partial<Binding> = {}) {
  const news = mailbox<string>();
  const transport = await bind(
    `ipc://${path}`,
    { ...BINDING, ...binding },
    {
      message: (from, frames) => news.put(`${hex(from)} says ${frames.join("|")}`),
      gone: (peer) => news.put(`${hex(peer)} is gone`),
      refused: ({ reason }) => news.put(`refused: ${reason}`),
    },
  );
  t.after(() => transport.close());
  return { ...transport, next: news.next };
}

/** A peer whose news are "opened", the first frames of its messages, and the codes of failures. */
function peerOf(t: TestContext, endpoint: string) {
  const news = mailbox<string>();
  const peer = connect(endpoint, BINDING, {
    opened: () => news.put("opened"),
    message: (frames) => news.put(String(frames[0])),
    gone() {},
    failed: ({ code }) => news.put(code),
  });
  t.after(() => peer.close(0));
  return { ...peer, next: news.next };
}

const hex = (address: string) => Buffer.from(address, "latin1").toString("hex");

function dealer(t: TestContext, path: string, routingId?: string) {
  const socket = new Dealer(routingId === undefined ? {} : { routingId });
  t.after(() => socket.close());
  socket.linger = 0;
  socket.connect(`ipc://${path}`);
  return socket;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Sends these bytes. Resolves to the bytes received when the connection is closed. */
async function raw(path: string, ...said: Buffer[]): Promise<Buffer> {
  const socket = connectSocket({ path });
  for (const bytes of said) socket.write(bytes);
  const received: Buffer[] = [];
  socket.on("data", (bytes) => received.push(bytes)).on("error", () => {});
  await once(socket, "close");
  return Buffer.concat(received);
}

/** A peer with this identity: each chunk that it reads is an item. */
async function reader(t: TestContext, path: string, name: string) {
  const socket = connectSocket({ path });
  t.after(() => socket.destroy());
  const news = readingOf(socket);
  socket.write(encodeGreeting());
  socket.write(readyAs(name));
  assert.equal(await news.next(), "it is open");
  return news;
}

/** "it is open" after the handshake, then each chunk that the other side writes. */
function readingOf(socket: Socket) {
  const news = mailbox<string>();
  let unread = encodeGreeting().length + encodeCommand("READY", DEALER).length; // As long as ROUTER's.
  socket.on("data", (bytes) => {
    if (unread <= 0) return news.put(bytes.toString("latin1"));
    unread -= bytes.length;
    if (unread === 0) news.put("it is open");
  });
  return news;
}

const DEALER = Buffer.from("\x0bSocket-Type\0\0\0\x06DEALER", "latin1");
const ROUTER = Buffer.from("\x0bSocket-Type\0\0\0\x06ROUTER", "latin1");

test("28/REQREP: the address of a peer is its identity, or else a zero and four bytes", async (t) => {
  const path = socketFile();
  const broker = await bound(t, path);
  await dealer(t, path, "me").send("hello");
  assert.equal(await broker.next(), `${hex("me")} says hello`);
  await dealer(t, path).send("hello");
  assert.match(await broker.next(), /^00[0-9a-f]{8} says hello$/);
});

/** The handshake of a peer with this identity, without its greeting. */
function readyAs(name: string): Buffer {
  const size = String.fromCharCode(name.length);
  const identity = Buffer.from(`\x08Identity\0\0\0${size}${name}`, "latin1");
  return encodeCommand("READY", Buffer.concat([DEALER, identity]));
}

/** A peer of this minor version that answers nothing. It has sent one message. */
async function silentPeer(t: TestContext, path: string, name: string, minorVersion = 1) {
  const socket = connectSocket({ path });
  t.after(() => socket.destroy());
  socket.write(Buffer.from(encodeGreeting()).fill(minorVersion, 11, 12));
  socket.write(Buffer.concat([readyAs(name), Buffer.from("\0\x02hi")]));
  return socket;
}

const HELD = "refused: its identity belongs to another connection";

test("identity of a live connection: the newcomer is closed without ERROR, and served after the holder's end", async (t) => {
  const path = socketFile();
  const broker = await bound(t, path);
  const holder = dealer(t, path, "me");
  await holder.send("hello");
  assert.equal(await broker.next(), `${hex("me")} says hello`);
  const received = await raw(path, encodeGreeting(), readyAs("me"));
  assert.deepEqual(received, encodeGreeting());
  assert.equal(await broker.next(), HELD);
  const newcomer = dealer(t, path, "me");
  await newcomer.send("it is me");
  for (let nth = 0; nth < 3; nth += 1) assert.equal(await broker.next(), HELD);
  broker.send("me", [Buffer.from("yours")]);
  assert.equal(String(await holder.receive()), "yours");
  holder.close();
  let next = await broker.next();
  while (next === HELD) next = await broker.next();
  assert.equal(next, `${hex("me")} is gone`);
  assert.equal(await broker.next(), `${hex("me")} says it is me`);
  broker.send("me", [Buffer.from("welcome back")]);
  assert.equal(String(await newcomer.receive()), "welcome back");
});

/** The time until a newcomer has the identity of a silent holder, in ms. The lease is 3 s. */
async function takeoverMs(t: TestContext, minorVersion: number, isWorker = () => false) {
  const path = socketFile();
  const broker = await bound(t, path, { deadAfterMs: 6000, isWorker });
  await silentPeer(t, path, "me", minorVersion);
  assert.equal(await broker.next(), `${hex("me")} says hi`);
  const begunAt = performance.now();
  await dealer(t, path, "me").send("it is me");
  assert.equal(await broker.next(), `${hex("me")} is gone`);
  assert.equal(await broker.next(), `${hex("me")} says it is me`);
  return performance.now() - begunAt;
}

test("identity of a silent connection: gone, and the newcomer is served after 1 s", async (t) => {
  const ms = await takeoverMs(t, 1);
  assert.ok(ms >= 950 && ms < 3000, `${ms} ms`);
});

test("identity of a silent worker, and of a silent peer of ZMTP 3.0: the newcomer waits for a lease", async (t) => {
  assert.ok((await takeoverMs(t, 1, () => true)) >= 2950);
  assert.ok((await takeoverMs(t, 0)) >= 2950);
});

test("newcomer waits, and the holder hangs up: gone, and the newcomer is served at once", async (t) => {
  const path = socketFile();
  const broker = await bound(t, path, { deadAfterMs: 1_000_000, isWorker: () => true });
  const holder = await silentPeer(t, path, "me");
  assert.equal(await broker.next(), `${hex("me")} says hi`);
  await dealer(t, path, "me").send("it is me");
  while (!String(await once(holder, "data")).includes("\x04PING")); // The newcomer waits.
  holder.destroy();
  assert.equal(await broker.next(), `${hex("me")} is gone`);
  assert.equal(await broker.next(), `${hex("me")} says it is me`);
});

test("two newcomers wait for one identity: the later one takes the place of the earlier one", async (t) => {
  const path = socketFile();
  const broker = await bound(t, path);
  await silentPeer(t, path, "me");
  assert.equal(await broker.next(), `${hex("me")} says hi`);
  const first = raw(path, encodeGreeting(), readyAs("me"));
  const second = connectSocket({ path });
  t.after(() => second.destroy());
  assert.ok(await once(second, "data"));
  second.write(Buffer.concat([encodeGreeting(), readyAs("me"), Buffer.from("\0\x06second")]));
  assert.equal(await broker.next(), HELD);
  assert.deepEqual(await first, encodeGreeting());
  assert.equal(await broker.next(), `${hex("me")} is gone`);
  assert.equal(await broker.next(), `${hex("me")} says second`);
});

const MESSAGE = "\0\x02hi";

/** The messages sent to two readers per event-loop turn, and the chunks that each reads. */
const TURNS = [
  {
    title: "one message per peer: written in its turn",
    sent: ["1 1", "1 1"],
    pieces: ["1 1", "1 1"],
  },
  {
    title: "several messages per peer: held for one turn",
    sent: ["2 3", "2 1"],
    pieces: ["4", "4"],
  },
  {
    title: "several for one peer, one for another: held for three turns",
    sent: ["2 1", "2 1", "2 1", "2 1", "2 1"],
    pieces: ["8 2", "1 1 1 1 1"],
  },
  {
    title: "several for the only peer: not held",
    sent: ["2 0", "2 0"],
    pieces: ["2 2", ""],
  },
];

for (const { title, sent, pieces } of TURNS) {
  test(title, async (t) => {
    const path = socketFile();
    const broker = await bound(t, path);
    const readers = [await reader(t, path, "0"), await reader(t, path, "1")];
    for (const turn of sent) {
      for (const [to, messages] of numbers(turn).entries())
        for (let nth = 0; nth < messages; nth += 1) broker.send(String(to), [Buffer.from("hi")]);
      await nextTurn();
    }
    for (const [at, { next }] of readers.entries())
      for (const messages of numbers(pieces[at] ?? ""))
        assert.equal(await next(), MESSAGE.repeat(messages));
  });
}

const numbers = (text: string) => text.split(" ").filter(Boolean).map(Number);

test("replies to messages of one chunk: written at once, apart from later ones", async (t) => {
  const path = socketFile();
  const server = createServer().listen(path);
  t.after(() => server.close());
  const answering = connect(`ipc://${path}`, BINDING, {
    message(frames) {
      setImmediate(() => answering.send(frames));
      answering.send(frames);
    },
    opened() {},
    gone() {},
    failed() {},
  });
  t.after(() => answering.close(0));
  const [socket] = await once(server, "connection");
  t.after(() => socket.destroy());
  const { next } = readingOf(socket);
  socket.write(Buffer.concat([encodeGreeting(), encodeCommand("READY", ROUTER)]));
  assert.equal(await next(), "it is open");
  socket.write(MESSAGE.repeat(2));
  assert.deepEqual([await next(), await next()], [MESSAGE.repeat(2), MESSAGE.repeat(2)]);
});

test("peer refused: it receives ERROR, and the program the reason", async (t) => {
  const path = socketFile();
  const broker = await bound(t, path);
  const publisher = new Publisher({ linger: 0 });
  t.after(() => publisher.close());
  publisher.connect(`ipc://${path}`);
  assert.equal(await broker.next(), "refused: a socket type that may not connect to ours");
  publisher.close();
  await raw(path, Buffer.from("GET / HTTP/1.1\r\n\r\n"));
  assert.equal(await broker.next(), "refused: not ZMTP");
  const reader = encodeCommand("READY", Buffer.from("\x0bSocket-Type\0\0\0\x03SUB", "latin1"));
  const received = await raw(path, encodeGreeting(), reader);
  assert.ok(received.includes("\x05ERROR"));
});

test("system cannot accept a connection: refused with its code, and others are served", async (t) => {
  const path = socketFile();
  const listening = Promise.withResolvers<Server>();
  const notice = (news: unknown) => listening.resolve((news as { server: Server }).server);
  subscribe("tracing:net.server.listen:asyncEnd", notice);
  t.after(() => unsubscribe("tracing:net.server.listen:asyncEnd", notice));
  const broker = await bound(t, path);
  const server = await listening.promise;
  server.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }));
  assert.equal(await broker.next(), "refused: the system cannot accept it (EMFILE)");
  await dealer(t, path, "me").send("hello");
  assert.equal(await broker.next(), `${hex("me")} says hello`);
});

test("more connections than the bound: closed at once; the others are served, and one may follow", async (t) => {
  const refused = mailbox<RefusedConnection>();
  const messages = mailbox<string>();
  const broker = await bind(
    "tcp://127.0.0.1:*",
    { ...BINDING, connectionsMax: 2 },
    {
      message(from, frames) {
        messages.put(String(frames[0]));
        broker.send(from, frames);
      },
      gone: () => messages.put("gone"),
      refused: refused.put,
    },
  );
  t.after(() => broker.close());
  const newPeer = () => peerOf(t, broker.endpoint);
  const [one, other] = [newPeer(), newPeer()];
  assert.deepEqual([await one.next(), await other.next()], ["opened", "opened"]);
  const third = newPeer();
  assert.match(await third.next(), /^(ECONNRESET|EPIPE)$/);
  const full = { cause: "full", reason: "too many connections", from: "127.0.0.1" };
  assert.deepEqual(await refused.next(), full);
  one.send([Buffer.from("served")]);
  assert.equal(await one.next(), "served");
  assert.equal(await messages.next(), "served");
  other.close(0);
  assert.equal(await messages.next(), "gone");
  while ((await third.next()) !== "opened");
  third.send([Buffer.from("served too")]);
  assert.equal(await third.next(), "served too");
});

test("unfinished handshakes of one address: a quarter of the connections, and others are served", async (t) => {
  const refused = mailbox<RefusedConnection>();
  const broker = await bind(
    "tcp://127.0.0.1:*",
    { ...BINDING, connectionsMax: 80 },
    { message: (from, frames) => broker.send(from, frames), gone() {}, refused: refused.put },
  );
  t.after(() => broker.close());
  const { port } = new URL(broker.endpoint);
  /** A connection that says nothing, or null if the broker closed it at once. */
  const silent = async (): Promise<Socket | null> => {
    const socket = connectSocket({
      host: "127.0.0.1",
      port: Number(port),
      localAddress: "127.0.0.7",
    });
    socket.on("error", () => {});
    t.after(() => socket.destroy());
    const isGreeted = once(socket, "data").then(() => socket);
    return Promise.race([isGreeted, once(socket, "close").then(() => null)]);
  };
  const [first] = await Promise.all(Array.from({ length: 20 }, silent));
  assert.equal(await silent(), null);
  const reason = "too many unfinished handshakes";
  assert.deepEqual(await refused.next(), { cause: "full", reason, from: "127.0.0.7" });
  const peer = peerOf(t, broker.endpoint);
  peer.send([Buffer.from("served")]);
  assert.deepEqual([await peer.next(), await peer.next()], ["opened", "served"]);
  first?.destroy();
  while (!(await silent())); // The broker may see the end of the first one later.
});

test("peer without a handshake in time: disconnected, no event", async (t) => {
  const path = socketFile();
  const broker = await bound(t, path, { deadAfterMs: 200 });
  assert.equal((await raw(path)).length, encodeGreeting().length);
  await raw(path, encodeGreeting().subarray(0, 12));
  await dealer(t, path, "me").send("hello");
  assert.equal(await broker.next(), `${hex("me")} says hello`);
});

test("silent peer: PING, then gone", async (t) => {
  const path = socketFile();
  const broker = await bound(t, path, { deadAfterMs: 2000 }); // Longer than a busy machine stalls.
  const alive = dealer(t, path, "alive");
  await alive.send("hello");
  assert.equal(await broker.next(), `${hex("alive")} says hello`);
  const received = await raw(path, encodeGreeting(), readyAs("dead"));
  assert.ok(received.includes("\x04PING"));
  assert.equal(await broker.next(), `${hex("dead")} is gone`);
  await alive.send("still here"); // libzmq answered each PING.
  assert.equal(await broker.next(), `${hex("alive")} says still here`);
});

test("socket file of a dead server: replaced; one in use or an ordinary file: EADDRINUSE", async (t) => {
  const path = socketFile();
  const program = `require("net").createServer().listen("${path}", () => process.abort())`;
  spawnSync(process.execPath, ["--eval", program]);
  assert.ok(existsSync(path));
  await bound(t, path);
  await assert.rejects(bound(t, path), { code: "EADDRINUSE" });
  const file = socketFile();
  writeFileSync(file, "precious");
  await assert.rejects(bound(t, file), { code: "EADDRINUSE" });
  assert.ok(existsSync(file));
});

/** The `remote` of a peer that connects to one endpoint of a broker at another. */
async function remoteAt(t: TestContext, at: string, to = at) {
  const { promise, resolve } = Promise.withResolvers<PeerInfo>();
  const events = { message: (_from: string, _frames: unknown, peer: PeerInfo) => resolve(peer) };
  const broker = await bind(at, BINDING, { ...events, gone() {}, refused() {} });
  t.after(() => broker.close());
  const peer = new Dealer({ linger: 0 });
  t.after(() => peer.close());
  peer.connect(to);
  await peer.send("hello");
  const info = await promise;
  assert.equal(info.who, null);
  return info.remote;
}

test("peer info: IP address and port; null on ipc", async (t) => {
  const [port, otherPort] = [await freePort(), await freePort()];
  assert.match(String(await remoteAt(t, `tcp://127.0.0.1:${port}`)), /^127\.0\.0\.1:[0-9]+$/);
  const [all, one] = [`tcp://*:${otherPort}`, `tcp://127.0.0.1:${otherPort}`];
  assert.match(String(await remoteAt(t, all, one)), /^127\.0\.0\.1:[0-9]+$/);
  assert.equal(await remoteAt(t, `ipc://${socketFile()}`), null);
});

test("peer info of sockets: IPv6 in brackets, IPv4 behind IPv6 without its prefix", () => {
  const remote = (remoteAddress: string, remoteFamily: string) =>
    remoteOf({ remoteAddress, remoteFamily, remotePort: 5 } as Socket);
  assert.equal(remote("10.0.0.7", "IPv4"), "10.0.0.7:5");
  assert.equal(remote("::ffff:10.0.0.7", "IPv6"), "10.0.0.7:5");
  assert.equal(remote("fe80::1", "IPv6"), "[fe80::1]:5");
  assert.equal(remoteOf({} as Socket), null);
});

/** The reason of the first failed attempt to connect to this endpoint. */
async function failureAt(t: TestContext, endpoint: string, deadAfterMs = 10_000) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const failed = (failure: ConnectFailure) => resolve(reasonOf(failure));
  const events = { opened() {}, message() {}, gone() {}, failed };
  const socket = connect(endpoint, { deadAfterMs }, events);
  t.after(() => socket.close(0));
  return promise;
}

/** A server that writes these bytes to each connection; null: it hangs up. */
async function serverThat(t: TestContext, answer: Buffer | null) {
  const path = socketFile();
  const server = createServer((socket) => {
    socket.on("error", () => {}).resume();
    if (answer) socket.write(answer);
    else socket.end();
  });
  t.after(() => server.close());
  await once(server.listen(path), "listening");
  return `ipc://${path}`;
}

test("failed attempt to connect: the system's code, or what is wrong with the other side", async (t) => {
  assert.equal(await failureAt(t, `tcp://127.0.0.1:${await freePort()}`), "ECONNREFUSED");
  assert.equal(await failureAt(t, `ipc://${socketFile()}`), "ENOENT");
  // Without a DNS server the lookup takes longer than an attempt, or fails in another way.
  const lookup = /^(ENOTFOUND|EAI_AGAIN|ETIMEDOUT: no address of nosuch.invalid within 1000 ms)$/;
  assert.match(await failureAt(t, "tcp://nosuch.invalid:5555"), lookup);
  const http = await serverThat(t, Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
  assert.equal(await failureAt(t, http), "EPROTO: something there does not speak ZMTP");
  const curve = encodeGreeting();
  curve.write("CURVE", 12);
  const reason = "the ZMTP handshake failed: a mechanism other than NULL";
  assert.equal(await failureAt(t, await serverThat(t, curve)), `EPROTO: ${reason}`);
  const closed = "the connection was closed during the handshake";
  assert.equal(await failureAt(t, await serverThat(t, null)), `ECONNRESET: ${closed}`);
  const mute = await serverThat(t, Buffer.alloc(0));
  assert.equal(await failureAt(t, mute, 200), "ETIMEDOUT: no ZMTP handshake within 200 ms");
});

test("abstract ipc name: no file", { skip: process.platform !== "linux" }, async (t) => {
  const path = `@mdp-${process.pid}`;
  const broker = await bound(t, path);
  await dealer(t, path, "me").send("hello");
  assert.equal(await broker.next(), `${hex("me")} says hello`);
});
