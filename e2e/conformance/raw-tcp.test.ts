// Whatever comes in over TCP, ZeroMQ or not, the broker goes on, and nobody else notices.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { Bystanders, echo, Subject } from "./subject.ts";
import { command, greeting, handshake, message, oldMessage, Wire } from "./tcp.ts";
import { someone } from "./wire.ts";

const broker = await Subject.start();
const bystanders = await Bystanders.of(broker);
after(() => {
  bystanders[Symbol.dispose]();
  return broker.stop();
});

async function goesOn() {
  await bystanders.undisturbed();
  await broker.serves();
}

/** Stands for the handshake of a ZMTP 3.0 peer. */
const HELLO = Symbol("hello");
const HUGE = "\x7f\xff\xff\xff\xff\xff\xff\xff";

type Said = string | Buffer | typeof HELLO;

async function speaks(wire: Wire, said: Said[]) {
  for (const bytes of said) {
    if (bytes === HELLO) await wire.shakesHands();
    else wire.says(bytes);
  }
}

for (const [what, ...said] of [
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
  ["a greeting of a version that there is not", greeting().fill(0x99, 10, 12)],
  ["a greeting with the mechanism PLAIN", greeting("PLAIN")],
  ["a greeting with the mechanism CURVE", greeting("CURVE"), command("\x05HELLO")],
  ["a greeting with a mechanism that there is not", greeting("MAJORDOMO")],
  ["a greeting with a mechanism of junk", greeting("\xff".repeat(20))],
  ["a greeting as a server", greeting().fill(1, 32, 33), handshake()],
  ["two greetings", greeting(), greeting()],
  ["a READY of a PUB socket", greeting(), handshake("PUB")],
  ["a READY of a SUB socket", greeting(), handshake("SUB")],
  ["a READY of a PULL socket", greeting(), handshake("PULL")],
  ["a READY of a socket that there is not", greeting(), handshake("MAJORDOMO")],
  ["a READY without a socket type", greeting(), command("\x05READY")],
  ["a READY with a property that ends too early", greeting(), command("\x05READY\x0bSock")],
  ["a READY with a value of 2^31 bytes", greeting(), command(`\x05READY\x01x\x7f\xff\xff\xffx`)],
  ["a command with a name longer than itself", greeting(), command("\xffREADY")],
  ["an empty command", greeting(), command("")],
  ["a command that there is not", greeting(), command("\x05HELLO")],
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
] as [string, ...Said[]][]) {
  test(`Ours, TCP: the broker goes on after ${what}, and silence`, async () => {
    using wire = await Wire.to(broker.endpoint);
    await speaks(wire, said);
    await goesOn();
    await goesOn();
  });

  test(`Ours, TCP: the broker has done with ${what} when its sender hangs up`, async () => {
    using wire = await Wire.to(broker.endpoint);
    await speaks(wire, said);
    await wire.ends();
    await goesOn();
  });
}

for (const length of [1, 2, 8, 9, 10, 11, 12, 16, 31, 32, 33, 63]) {
  test(`Ours, TCP: the broker goes on after ${length} bytes of a greeting, and then the end, or silence`, async () => {
    using silent = await Wire.to(broker.endpoint);
    silent.says(greeting().subarray(0, length));
    using ending = await Wire.to(broker.endpoint);
    ending.says(greeting().subarray(0, length));
    await ending.ends();
    await goesOn();
  });
}

test("Ours, TCP: a greeting that comes byte by byte is one all the same", async () => {
  using wire = await Wire.to(broker.endpoint);
  wire.socket.setNoDelay(true);
  for (const byte of Buffer.concat([greeting(), handshake()])) {
    await new Promise((written) => wire.socket.write(Buffer.of(byte), written));
  }
  assert.ok(await wire.hears("\x05READY"));
  wire.says(message("", "MDPC01", "mmi.service", someone()));
  assert.ok(await wire.hears(message("", "MDPC01", "mmi.service", "404")));
  await goesOn();
});

test("Ours, TCP: a client that speaks ZMTP 3.0 by hand is served", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using wire = await Wire.to(broker.endpoint);
  await wire.shakesHands();
  wire.says(message("7", "", "MDPC01", service, "hello"));
  await worker.replies(await worker.isAsked("hello"), "world");
  assert.ok(await wire.hears(message("7", "", "MDPC01", service, "world")));
  await goesOn();
});

test("Ours, TCP: a client that speaks ZMTP 1.0 by hand is served, or hung up on at once", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using wire = await Wire.to(broker.endpoint);
  wire.says("\x01\0");
  wire.says(oldMessage("", "MDPC01", service, "hello"));
  if (broker.speaksOldZmtp) await worker.replies(await worker.isAsked("hello"), "world");
  const served = await wire.hears(oldMessage("", "MDPC01", service, "world"));
  assert.equal(served, broker.speaksOldZmtp);
  await goesOn();
});

test("Ours, TCP: two hundred connections that never speak are no burden", async () => {
  const wires = await Promise.all(Array.from({ length: 200 }, () => Wire.to(broker.endpoint)));
  await goesOn();
  for (const wire of wires) wire[Symbol.dispose]();
  await goesOn();
});

test("Ours, TCP: two hundred connections that are reset at once are no burden", async () => {
  for (let nth = 0; nth < 200; nth += 1) {
    const wire = await Wire.to(broker.endpoint);
    if (nth % 2 === 1) await wire.shakesHands();
    wire.socket.resetAndDestroy();
  }
  await goesOn();
});

test("Ours, TCP: two hundred workers whose connections are reset are forgotten", async () => {
  const service = someone();
  const wires: Wire[] = [];
  for (let nth = 0; nth < 200; nth += 1) {
    const wire = await Wire.to(broker.endpoint);
    await wire.shakesHands();
    wire.says(message("", "MDPW01", "\x01", service));
    wires.push(wire);
  }
  await broker.learns(service, "200");
  for (const wire of wires) wire.socket.resetAndDestroy();
  await broker.learns(service, "404");
  await goesOn();
});

test("Ours, TCP: a connection that breaks within a REPLY gives its request to another", async () => {
  const service = someone();
  using client = broker.client();
  using wire = await Wire.to(broker.endpoint);
  await wire.shakesHands();
  wire.says(message("", "MDPW01", "\x01", service, "1"));
  await client.says("", "MDPC01", service, "job");
  assert.ok(await wire.hears("job"));
  wire.says("\x01\0\x01\x06MDPW01\x01\x01\x03");
  await wire.ends();
  await broker.givesToAnother(client, service, "job");
  await goesOn();
});

test("Ours, TCP: a client that never reads holds up nobody, whatever is sent to it", async () => {
  const service = someone();
  using worker = await broker.worker(service);
  using wire = await Wire.to(broker.endpoint);
  await wire.shakesHands();
  wire.socket.pause();
  const reply = randomBytes(2 ** 20);
  for (let nth = 0; nth < 32; nth += 1) {
    wire.says(message(`${nth}`, "", "MDPC01", service, "much"));
    await worker.replies(await worker.isAsked("much"), reply);
  }
  await goesOn();
  using client = broker.client();
  await echo(client, worker, service);
  await goesOn();
});

test("Ours, TCP: a worker that never reads holds up nobody, and what it was given is another's when it is gone", async () => {
  const service = someone();
  using client = broker.client();
  const body = randomBytes(2 ** 20);
  {
    using wire = await Wire.to(broker.endpoint);
    await wire.shakesHands();
    wire.socket.pause();
    wire.says(message("", "MDPW01", "\x01", service, "16"));
    await broker.learns(service, "200");
    for (let nth = 0; nth < 16; nth += 1) await client.says("", "MDPC01", service, body);
    await client.hearsNothing();
    await goesOn();
  }
  await broker.learns(service, "404");
  using other = await broker.newcomer(service);
  for (let nth = 0; nth < 16; nth += 1) {
    await other.replies(await other.isAsked(body), "done");
    await client.hears("", "MDPC01", service, "done");
  }
  await goesOn();
});

test("it was one broker all the while, and it has nothing left over", async () => {
  await bystanders.undisturbed();
  bystanders[Symbol.dispose]();
  await broker.endsWell();
});
