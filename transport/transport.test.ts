import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { Dealer } from "zeromq";
import type { Frame, PeerInfo } from "../protocol/frame.ts";
import * as libzmq from "./libzmq.ts";
import { mailbox } from "./mailbox.testing.ts";
import type { ConnectFailure, Transport } from "./transport.ts";
import * as zmtp from "./zmtp/sockets.ts";

const HAS_IPV6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

let port = 21_000 + (process.pid % 1000) * 10;
const endpoint = () => `tcp://127.0.0.1:${++port}`;
const frames = (...values: string[]): Frame[] => values.map((value) => Buffer.from(value));

const transports: { close(lingerMs: number): void }[] = [];

afterEach(() => {
  for (const transport of transports.splice(0)) transport.close(0);
});

/** Blocks this process, so that it receives the last messages and the disconnect together. */
function block(ms = 200) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

type Event = { from: string; frames: string[]; peer: PeerInfo } | { gone: string };

const BINDING = { frameBytesMax: 1000, unsentBytesMax: 2 ** 20, deadAfterMs: 10_000 };

/** Each transport with each, since either may be at the other end. */
const PAIRS = [libzmq, zmtp].flatMap((bound) =>
  [libzmq, zmtp].map((connecting) => ({ bound, connecting })),
);

for (const {
  bound: { bind, version: at },
  connecting: { connect, version: to },
} of PAIRS) {
  describe(`${at} binds, ${to} connects:`, () => suite(bind, connect));
}

function suite(bind: Transport["bind"], connect: Transport["connect"]) {
  async function bound(at: string, binding = {}) {
    const news = mailbox<Event>();
    const transport = await bind(
      at,
      { ...BINDING, ...binding },
      {
        message: (from, message, peer) => news.put({ from, frames: message.map(String), peer }),
        gone: (peer) => news.put({ gone: peer }),
        refused() {},
      },
    );
    transports.push(transport);
    async function nextMessage() {
      for (;;) {
        const item = await news.next();
        if ("from" in item) return item;
      }
    }
    return { ...transport, next: news.next, nextMessage, pending: news.pending };
  }

  function connected(to: string) {
    const news = mailbox<string[] | "gone">();
    const failures = mailbox<ConnectFailure>();
    const opened = Promise.withResolvers<void>();
    const transport = connect(
      to,
      { deadAfterMs: 10_000 },
      {
        opened: opened.resolve,
        message: (message) => news.put(message.map(String)),
        gone: () => news.put("gone"),
        failed: failures.put,
      },
    );
    transports.push(transport);
    return {
      ...transport,
      next: news.next,
      pending: news.pending,
      opened: opened.promise,
      failed: failures.next,
    };
  }

  test("messages that arrive during bind: handed over after bind has resolved", async () => {
    const at = endpoint();
    const { send } = connected(at);
    send(frames("early"));
    let isBound = false;
    const tooEarly: string[][] = [];
    const received = Promise.withResolvers<void>();
    const binding = bind(at, BINDING, {
      message: (_, message) => {
        if (!isBound) tooEarly.push(message.map(String));
        received.resolve();
      },
      gone() {},
      refused() {},
    });
    block(1500); // A connecting side tries again within 1 s.
    transports.push(await binding.catch(assert.fail));
    isBound = true;
    await received.promise;
    assert.deepEqual(tooEarly, []);
  });

  test("messages both ways: the same frames, and one address per peer", async () => {
    const at = endpoint();
    const broker = await bound(at);
    const peer = connected(at);
    peer.send(frames("", "a", ""));
    const first = await broker.nextMessage();
    assert.deepEqual(first.frames, ["", "a", ""]);
    broker.send(first.from, frames("b", "", "c"));
    assert.deepEqual(await peer.next(), ["b", "", "c"]);
    peer.send(frames("again"));
    const second = await broker.nextMessage();
    assert.deepEqual([second.from, second.frames], [first.from, ["again"]]);
    assert.equal(second.peer, first.peer);
  });

  test("peer closes: gone at once", async () => {
    const at = endpoint();
    const broker = await bound(at);
    assert.equal(broker.detectsDisconnects, true);
    const peer = connected(at);
    peer.send(frames("hello"));
    const { from } = await broker.nextMessage();
    peer.close(0);
    assert.deepEqual(await broker.next(), { gone: from });
  });

  test("peer sends and closes: its messages come before gone, also if it is sent some", async () => {
    const at = endpoint();
    const broker = await bound(at);
    const peer = connected(at);
    await peer.opened;
    for (let n = 0; n < 500; n += 1) peer.send(frames(String(n)));
    peer.close(1000);
    await broker.next();
    block();
    for (let n = 1; n < 500; n += 1) {
      const message = await broker.next();
      assert.ok("from" in message && message.frames[0] === String(n), JSON.stringify(message));
      broker.send(message.from, frames("are you there?"));
    }
    assert.ok("gone" in (await broker.next()));
  });

  test("disconnect detection off: neither a closed nor an unreachable peer is gone", async () => {
    const at = endpoint();
    const broker = await bound(at, { detectDisconnects: false });
    assert.equal(broker.detectsDisconnects, false);
    const [peer, other] = [connected(at), connected(at)];
    peer.send(frames("hello"));
    const { from } = await broker.nextMessage();
    peer.close(0);
    block();
    broker.send(from, frames("are you there?"));
    other.send(frames("I am"));
    const next = await broker.next();
    assert.ok("from" in next && next.frames[0] === "I am", JSON.stringify(next));
  });

  test("slow consumer: gone when its queue is full; other peers are served", async () => {
    const at = endpoint();
    const broker = await bound(at);
    const slow = new Dealer({ receiveHighWaterMark: 1, linger: 0 });
    transports.push({ close: () => slow.close() });
    slow.connect(at);
    await slow.send("hello");
    const { from } = await broker.nextMessage();
    const body = [Buffer.alloc(100)];
    while (broker.pending() === 0) {
      for (let n = 0; n < 1000; n += 1) broker.send(from, body);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(await broker.next(), { gone: from });
    const peer = connected(at);
    peer.send(frames("hello"));
    const { frames: hello } = await broker.nextMessage();
    assert.deepEqual(hello, ["hello"]);
  });

  test("10,000 messages in a burst, both ways: all arrive in order", async () => {
    const at = endpoint();
    const broker = await bound(at);
    const peer = connected(at);
    for (let n = 0; n < 10_000; n += 1) peer.send(frames(String(n)));
    for (let n = 0; n < 10_000; n += 1) {
      const message = await broker.nextMessage();
      assert.deepEqual(message.frames, [String(n)]);
      broker.send(message.from, frames(String(n)));
    }
    for (let n = 0; n < 10_000; n += 1) assert.deepEqual(await peer.next(), [String(n)]);
  });

  test("broker sends and closes: its messages come before gone", async () => {
    const at = endpoint();
    const broker = await bound(at);
    const peer = connected(at);
    peer.send(frames("hello"));
    const { from } = await broker.nextMessage();
    for (let n = 0; n < 900; n += 1) broker.send(from, frames(String(n)));
    broker.close();
    block();
    for (let n = 0; n < 900; n += 1) assert.deepEqual(await peer.next(), [String(n)]);
    assert.equal(await peer.next(), "gone");
  });

  test("peer sends a frame that is too large: disconnected; other peers are served", async () => {
    const at = endpoint();
    const broker = await bound(at, { frameBytesMax: 100 });
    const [rude, polite] = [connected(at), connected(at)];
    rude.send([Buffer.alloc(101)]);
    assert.equal(await rude.next(), "gone");
    polite.send(frames("hello"));
    assert.deepEqual((await broker.nextMessage()).frames, ["hello"]);
  });

  test("bytes that are not ZMTP: other peers are served", async () => {
    const at = endpoint();
    const broker = await bound(at);
    for (const junk of ["GET / HTTP/1.1\r\n\r\n", "\x00".repeat(64), "\xff".repeat(64)]) {
      const socket = connectTcp(port, "127.0.0.1");
      socket.on("error", () => {}).resume();
      socket.end(Buffer.from(junk, "latin1"));
      await new Promise((resolve) => socket.on("close", resolve));
    }
    const peer = connected(at);
    peer.send(frames("hello"));
    assert.deepEqual((await broker.nextMessage()).frames, ["hello"]);
  });

  test("peer starts before the broker: its messages wait", async () => {
    const at = endpoint();
    const peer = connected(at);
    peer.send(frames("early"));
    const broker = await bound(at);
    await peer.opened;
    assert.deepEqual((await broker.nextMessage()).frames, ["early"]);
  });

  test("closed transport: no events, and messages are dropped", async () => {
    const at = endpoint();
    const broker = await bound(at);
    const peer = connected(at);
    for (let n = 0; n < 100; n += 1) peer.send(frames(String(n)));
    const { from } = await broker.nextMessage();
    for (let n = 0; n < 100; n += 1) peer.send(frames(String(n)));
    block();
    const before = broker.pending();
    broker.close();
    broker.send(from, frames("too late"));
    assert.equal(await peer.next(), "gone");
    assert.equal(broker.pending(), before);
    peer.close(0);
    peer.send(frames("too late"));
  });

  test("both sides close with 20,000 messages on their way: nothing rejects unhandled", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    for (const reads of [false, true]) {
      const at = endpoint();
      const broker = await bound(at, { unsentBytesMax: 2 ** 30 });
      const peer = connected(at);
      for (let nth = 0; nth < 20_000; nth += 1) peer.send(frames("hello"));
      if (reads) await broker.nextMessage();
      peer.close(0);
      broker.close();
    }
    const broker = await bound(endpoint());
    connected(`tcp://127.0.0.1:${port}`).send(frames("hello")); // Later than any rejection.
    await broker.nextMessage();
    process.off("unhandledRejection", listener);
    assert.deepEqual(unhandled, []);
  });

  test("peer closes before it ever connected: the next broker receives nothing from it", async () => {
    const at = endpoint();
    const gaveUp = connected(at);
    gaveUp.send(frames("stale"));
    gaveUp.close(1000);
    const broker = await bound(at);
    const peer = connected(at);
    for (const deadline = performance.now() + 700; performance.now() < deadline; ) {
      peer.send(frames("fresh"));
      assert.deepEqual((await broker.nextMessage()).frames, ["fresh"]);
    }
  });

  test("ipc endpoint: the same as tcp", async () => {
    const at = `ipc://${join(mkdtempSync(join(tmpdir(), "mdp-")), "socket")}`;
    const broker = await bound(at);
    const peer = connected(at);
    peer.send(frames("hello"));
    const { from } = await broker.nextMessage();
    broker.send(from, frames("world"));
    assert.deepEqual(await peer.next(), ["world"]);
    peer.close(0);
    assert.deepEqual(await broker.next(), { gone: from });
  });

  test("frames of 0 bytes to 1 MiB, both ways: the same at the other end", async () => {
    const at = endpoint();
    const most = 2 ** 20;
    const broker = await bound(at, { frameBytesMax: most, unsentBytesMax: 64 * most });
    const peer = connected(at);
    const lengths = [0, 1, 255, 256, 4096, 4097, 65_535, 65_536, 300_000, most];
    const message = lengths.map((length) => Buffer.alloc(length, "x"));
    peer.send(message);
    const { from, frames: received } = await broker.nextMessage();
    assert.ok(received.every((frame, nth) => frame === String(message[nth])));
    broker.send(from, message);
    const back = await peer.next();
    assert.ok(Array.isArray(back) && back.every((frame, nth) => frame === String(message[nth])));
  });

  for (const at of ["tcp://127.0.0.1:*", "tcp://127.0.0.1:0", "tcp://localhost:*"]) {
    test(`${at} bound: the endpoint has the port that the system chose`, async () => {
      const [broker, other] = [await bound(at), await bound(at)];
      assert.match(broker.endpoint, /^tcp:\/\/(127\.0\.0\.1|localhost):[1-9][0-9]+$/);
      assert.notEqual(broker.endpoint, other.endpoint);
      connected(broker.endpoint).send(frames("hello"));
      assert.deepEqual((await broker.nextMessage()).frames, ["hello"]);
    });
  }

  test("IPv6 address bound: peers connect to it", { skip: !HAS_IPV6 }, async () => {
    const broker = await bound("tcp://[::1]:*");
    assert.match(broker.endpoint, /^tcp:\/\/\[::1\]:[1-9][0-9]+$/);
    connected(broker.endpoint).send(frames("hello"));
    assert.deepEqual((await broker.nextMessage()).frames, ["hello"]);
  });

  for (const all of ["tcp://*:*", "tcp://[::]:0"]) {
    test(`${all} bound: peers connect by IPv4 and by IPv6`, { skip: !HAS_IPV6 }, async () => {
      const broker = await bound(all);
      for (const host of ["127.0.0.1", "[::1]"]) {
        const to = broker.endpoint.replace(/\/\/.*:/, `//${host}:`);
        connected(to).send(frames(host));
        assert.deepEqual((await broker.nextMessage()).frames, [host]);
      }
    });
  }

  test("bad endpoint: a RangeError with its value and examples", async () => {
    const message = /^cannot bind "tcp:\/\/::1:5555": not an endpoint such as tcp:/;
    await assert.rejects(bound("tcp://::1:5555"), { name: "RangeError", message });
    for (const to of ["tcp://127.0.0.1:0", "tcp://*:5555", "tcp://[::g]:5555", "udp://a:5555"]) {
      const sentence = `cannot connect to "${to}": not an endpoint such as tcp:`;
      assert.throws(
        () => connected(to),
        (error) => error instanceof RangeError && error.message.startsWith(sentence),
      );
    }
  });

  test("nothing listens: each attempt fails, with the time of the next; then the broker comes", async () => {
    const at = endpoint();
    const peer = connected(at);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const { code, retryMs } = await peer.failed();
      assert.match(code, /^(ECONNREFUSED|UNKNOWN)$/);
      assert.ok(retryMs >= 50 && retryMs <= 1000, `${retryMs} ms`);
    }
    await bound(at);
    await peer.opened;
  });

  test("something there hangs up or does not speak ZMTP: each attempt fails, and nothing is gone", async (t) => {
    const server = createServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 400\r\n"));
    t.after(() => server.close());
    const at = endpoint();
    await once(server.listen(port, "127.0.0.1"), "listening");
    const peer = connected(at);
    for (let attempt = 0; attempt < 2; attempt += 1)
      assert.match((await peer.failed()).code, /^(EPROTO|EPIPE|ECONNRESET)$/);
    assert.equal(peer.pending(), 0);
  });

  test("broker restarts: the peer connects again by itself", async () => {
    const at = endpoint();
    const first = await bound(at);
    const peer = connected(at);
    await peer.opened;
    first.close();
    assert.equal(await peer.next(), "gone");
    const second = await bound(at);
    peer.send(frames("again"));
    assert.deepEqual((await second.nextMessage()).frames, ["again"]);
  });
}
