// ZMTP, byte by byte: the handshake, framing and PING, and connections that break all rules. The
// broker goes on serving other peers.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { BrokerUnderTest, Bystanders, echo } from "./broker-under-test.ts";
import { uniqueName } from "./raw-peer.ts";
import {
  command,
  greeting,
  handshake,
  message,
  oldMessage,
  TcpConnection,
} from "./tcp-connection.ts";

const broker = await BrokerUnderTest.start();
const bystanders = await Bystanders.of(broker);
after(() => {
  bystanders[Symbol.dispose]();
  return broker.stop();
});

async function keepsServing() {
  await bystanders.undisturbed();
  await broker.serves();
}

/** Stands for the handshake of a ZMTP 3.0 peer. */
const HELLO = Symbol("hello");
const HUGE = "\x7f\xff\xff\xff\xff\xff\xff\xff";

type Step = string | Buffer | typeof HELLO;

async function sendAll(connection: TcpConnection, steps: Step[]) {
  for (const bytes of steps) {
    if (bytes === HELLO) await connection.handshakes();
    else connection.sends(bytes);
  }
}

for (const [what, ...steps] of [
  ["four kilobytes of garbage", randomBytes(4096)],
  ["a megabyte of garbage", randomBytes(2 ** 20)],
  ["a kilobyte of zeros", Buffer.alloc(1024)],
  ["a kilobyte of ff", Buffer.alloc(1024, 0xff)],
  ["an HTTP GET", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["the hello of a TLS client", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", randomBytes(508)],
  ["a line of text", "READY echo\n"],
  ["eight bytes of ZMTP 1.0", "\x01\0\x05\0junk"],
  ["a message of ZMTP 1.0 that is not MDP", "\x01\0", oldMessage("", "MDPC01"), oldMessage("junk")],
  ["a frame of no length in ZMTP 1.0", "\x01\0\0\0\0\0"],
  ["a frame of 2^63 bytes in ZMTP 1.0", "\x01\0\xff\x80\0\0\0\0\0\0\0", "\0x"],
  ["a greeting of version 153", greeting().fill(0x99, 10, 12)],
  ["a greeting with the mechanism PLAIN", greeting("PLAIN")],
  ["a greeting with the mechanism CURVE", greeting("CURVE"), command("\x05HELLO")],
  ["a greeting with an unknown mechanism", greeting("MAJORDOMO")],
  ["a greeting with a mechanism of junk", greeting("\xff".repeat(20))],
  ["a greeting as a server", greeting().fill(1, 32, 33), handshake()],
  ["two greetings", greeting(), greeting()],
  ["a READY of a PUB socket", greeting(), handshake("PUB")],
  ["a READY of a SUB socket", greeting(), handshake("SUB")],
  ["a READY of a PULL socket", greeting(), handshake("PULL")],
  ["a READY of an unknown socket type", greeting(), handshake("MAJORDOMO")],
  ["a READY without a socket type", greeting(), command("\x05READY")],
  ["a READY with half a property", greeting(), command("\x05READY\x0bSock")],
  ["a READY with a value of 2^31 bytes", greeting(), command(`\x05READY\x01x\x7f\xff\xff\xffx`)],
  ["a command with a name longer than itself", greeting(), command("\xffREADY")],
  ["an empty command", greeting(), command("")],
  ["an unknown command", greeting(), command("\x05HELLO")],
  ["an ERROR", greeting(), command("\x05ERROR\x04oops")],
  ["a command of 2^63 bytes", greeting(), `\x06\x80\0\0\0\0\0\0\0`],
  ["a message before READY", greeting(), message("", "MDPC01", "service", "body")],
  ["a second READY of ZMTP", HELLO, handshake()],
  ["a command in the middle of a message", HELLO, "\x01\x01x", command("\x04PING\0\0"), "\0\x01x"],
  ["a PING that is too short", HELLO, command("\x04PING")],
  ["a frame with all flags", HELLO, "\xff\x05junk!"],
  ["a frame of 2^63 bytes", HELLO, `\x02\x80\0\0\0\0\0\0\0`, "junk"],
  ["a frame of 2^63 - 1 bytes", HELLO, `\x02${HUGE}`, "junk"],
  ["a frame of 2^64 - 1 bytes", HELLO, `\x02${"\xff".repeat(8)}`, "junk"],
  ["a frame of 2^40 bytes", HELLO, "\x02\0\0\x01\0\0\0\0\0", "junk"],
  ["half a frame", HELLO, "\x02\0\0\0\0\0\0\x10\0", "x".repeat(1000)],
  ["half a message", HELLO, "\x01\0\x01\x06MDPC01\x01\x07service"],
  [
    "a message of MDP and half of the next",
    HELLO,
    message("", "MDPW01", "\x01", "half"),
    "\x01\0\x01",
  ],
  ["ten thousand frames of a message that does not end", HELLO, "\x01\x01x".repeat(10_000)],
  ["frames that are not MDP", HELLO, message("junk"), message(""), message("", "MDPX01", "\xff")],
] as [string, ...Step[]][]) {
  test(`ZMTP-05 ${what}, then silence: other peers served`, async () => {
    using connection = await TcpConnection.to(broker.endpoint);
    await sendAll(connection, steps);
    await keepsServing();
    await keepsServing();
  });

  test(`ZMTP-05 ${what}, then the end: closed, other peers served`, async () => {
    using connection = await TcpConnection.to(broker.endpoint);
    await sendAll(connection, steps);
    await connection.closes();
    await keepsServing();
  });
}

for (const length of [1, 2, 8, 9, 10, 11, 12, 16, 31, 32, 33, 63]) {
  test(`ZMTP-05 greeting of ${length} bytes, then the end or silence: other peers served`, async () => {
    using silent = await TcpConnection.to(broker.endpoint);
    silent.sends(greeting().subarray(0, length));
    using ending = await TcpConnection.to(broker.endpoint);
    ending.sends(greeting().subarray(0, length));
    await ending.closes();
    await keepsServing();
  });
}

test("ZMTP-06 greeting and READY sent byte by byte: served", async () => {
  using connection = await TcpConnection.to(broker.endpoint);
  connection.socket.setNoDelay(true);
  for (const byte of Buffer.concat([greeting(), handshake()])) {
    await new Promise((written) => connection.socket.write(Buffer.of(byte), written));
  }
  assert.ok(await connection.receives("\x05READY"));
  connection.sends(message("", "MDPC01", "mmi.service", uniqueName()));
  assert.ok(await connection.receives(message("", "MDPC01", "mmi.service", "404")));
  await keepsServing();
});

test("ZMTP-01 connection: the broker sends 64 bytes, version 3 and the mechanism NULL", async () => {
  using connection = await TcpConnection.to(broker.endpoint);
  connection.sends(greeting());
  await connection.receivesBytes(64);
  const [sent, expected] = [connection.received.subarray(0, 64), greeting()];
  assert.deepEqual([sent[0], sent[9], sent[10]], [0xff, 0x7f, 3]);
  assert.deepEqual(sent.subarray(12), expected.subarray(12));
});

for (const [what, bytes] of [
  ["version 3.0", greeting()],
  ["version 3.9", greeting().fill(9, 11, 12)],
  ["version 4.0", greeting().fill(4, 10, 11)],
  ["padding that is not zero", greeting().fill(0x55, 1, 9)],
] as const) {
  test(`ZMTP-02 greeting with ${what}: served`, async () => {
    using connection = await TcpConnection.to(broker.endpoint);
    connection.sends(bytes);
    connection.sends(handshake());
    assert.ok(await connection.receives("\x05READY"));
    connection.sends(message("", "MDPC01", "mmi.service", uniqueName()));
    assert.ok(await connection.receives(message("", "MDPC01", "mmi.service", "404")));
  });
}

for (const mechanism of ["PLAIN", "CURVE", "MAJORDOMO"]) {
  test(`ZMTP-04 greeting with the mechanism ${mechanism}: connection closed`, async () => {
    using connection = await TcpConnection.to(broker.endpoint);
    connection.sends(greeting(mechanism));
    assert.equal(await connection.receives("no such bytes"), false);
  });
}

for (const socketType of ["DEALER", "REQ", "ROUTER"]) {
  test(`ZMTP-09 READY of a ${socketType} socket: READY of a ROUTER`, async () => {
    using connection = await TcpConnection.to(broker.endpoint);
    connection.sends(greeting());
    connection.sends(handshake(socketType));
    assert.ok(await connection.receives("\x05READY"));
    assert.ok(await connection.receives("\x0bSocket-Type\0\0\0\x06ROUTER"));
  });
}

for (const socketType of ["PUB", "SUB", "PULL", "REP", "PAIR"]) {
  test(`ZMTP-09 READY of a ${socketType} socket: connection closed`, async () => {
    using connection = await TcpConnection.to(broker.endpoint);
    connection.sends(greeting());
    connection.sends(handshake(socketType));
    assert.equal(await connection.receives("no such bytes"), false);
  });
}

for (const context of ["", "context", "sixteen bytes..."]) {
  test(`ZMTP-10 PING with the context "${context}": PONG with the same`, async () => {
    using connection = await TcpConnection.to(broker.endpoint);
    await connection.handshakes();
    connection.sends(command(`\x04PING\0\0${context}`));
    assert.ok(await connection.receives(command(`\x04PONG${context}`)));
  });
}

test("ZMTP-06 a service and a body in long frames: the same request", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using connection = await TcpConnection.to(broker.endpoint);
  await connection.handshakes();
  connection.sends("\x01\0\x03\0\0\0\0\0\0\0\x06MDPC01");
  connection.sends(`\x03\0\0\0\0\0\0\0${String.fromCharCode(service.length)}${service}`);
  connection.sends("\x02\0\0\0\0\0\0\0\x05hello");
  await worker.sendsReply(await worker.receivesRequest("hello"), "world");
  assert.ok(await connection.receives(message("", "MDPC01", service, "world")));
});

test("ZMTP-08 handshake by hand: a client of ZMTP 3.0 is served", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using connection = await TcpConnection.to(broker.endpoint);
  await connection.handshakes();
  connection.sends(message("7", "", "MDPC01", service, "hello"));
  await worker.sendsReply(await worker.receivesRequest("hello"), "world");
  assert.ok(await connection.receives(message("7", "", "MDPC01", service, "world")));
  await keepsServing();
});

test("ZMTP-03 greeting of ZMTP 1.0: served, or the connection is closed", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using connection = await TcpConnection.to(broker.endpoint);
  connection.sends("\x01\0");
  connection.sends(oldMessage("", "MDPC01", service, "hello"));
  if (broker.servesZmtp1) await worker.sendsReply(await worker.receivesRequest("hello"), "world");
  const served = await connection.receives(oldMessage("", "MDPC01", service, "world"));
  if (broker.ours) assert.equal(served, broker.servesZmtp1);
  await keepsServing();
});

test("ZMTP-05 two hundred connections that stay silent: other peers served", async () => {
  const connections = await Promise.all(
    Array.from({ length: 200 }, () => TcpConnection.to(broker.endpoint)),
  );
  await keepsServing();
  for (const connection of connections) connection[Symbol.dispose]();
  await keepsServing();
});

test("ZMTP-05 two hundred connections that are reset: other peers served", async () => {
  for (let nth = 0; nth < 200; nth += 1) {
    const connection = await TcpConnection.to(broker.endpoint);
    if (nth % 2 === 1) await connection.handshakes();
    connection.socket.resetAndDestroy();
  }
  await keepsServing();
});

test("ZMTP-05 two hundred workers whose connections are reset: removed", async () => {
  const service = uniqueName();
  const connections: TcpConnection[] = [];
  for (let nth = 0; nth < 200; nth += 1) {
    const connection = await TcpConnection.to(broker.endpoint);
    await connection.handshakes();
    connection.sends(message("", "MDPW01", "\x01", service));
    connections.push(connection);
  }
  await broker.untilService(service, "200");
  for (const connection of connections) connection.socket.resetAndDestroy();
  await broker.untilService(service, "404");
  await keepsServing();
});

test("ZMTP-07 connection breaks within a REPLY: its request is redelivered", async () => {
  const service = uniqueName();
  using client = broker.client();
  using connection = await TcpConnection.to(broker.endpoint);
  await connection.handshakes();
  connection.sends(message("", "MDPW01", "\x01", service, "1"));
  await client.sends("", "MDPC01", service, "job");
  assert.ok(await connection.receives("job"));
  connection.sends("\x01\0\x01\x06MDPW01\x01\x01\x03");
  await connection.closes();
  await broker.redelivers(client, service, "job");
  await keepsServing();
});

test("REQREP-10 client that never reads 32 MiB of replies: other peers served", async () => {
  const service = uniqueName();
  using worker = await broker.registeredWorker(service);
  using connection = await TcpConnection.to(broker.endpoint);
  await connection.handshakes();
  connection.socket.pause();
  const reply = randomBytes(2 ** 20);
  for (let nth = 0; nth < 32; nth += 1) {
    connection.sends(message(`${nth}`, "", "MDPC01", service, "much"));
    await worker.sendsReply(await worker.receivesRequest("much"), reply);
  }
  await keepsServing();
  using client = broker.client();
  await echo(client, worker, service);
  await keepsServing();
});

test("REQREP-10 worker that never reads its requests: other peers served, redelivered once it is gone", async () => {
  const service = uniqueName();
  using client = broker.client();
  const body = randomBytes(2 ** 20);
  {
    using connection = await TcpConnection.to(broker.endpoint);
    await connection.handshakes();
    connection.socket.pause();
    connection.sends(message("", "MDPW01", "\x01", service, "16"));
    await broker.untilService(service, "200");
    for (let nth = 0; nth < 16; nth += 1) await client.sends("", "MDPC01", service, body);
    await client.receivesNothing();
    await keepsServing();
  }
  await broker.untilService(service, "404");
  using other = await broker.newWorker(service);
  for (let nth = 0; nth < 16; nth += 1) {
    await other.sendsReply(await other.receivesRequest(body), "done");
    await client.receives("", "MDPC01", service, "done");
  }
  await keepsServing();
});

test("X-STATS end of the run: one broker process, counters add up, nothing left over", async () => {
  await bystanders.undisturbed();
  bystanders[Symbol.dispose]();
  await broker.endsClean();
});
