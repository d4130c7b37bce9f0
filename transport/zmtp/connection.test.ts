import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import type { Frame } from "../../protocol/frame.ts";
import { Connection, type ConnectionOptions, type Effect, encodeGreeting } from "./connection.ts";
import { encodeCommand, encodeMessages } from "./frames.ts";

setFlagsFromString("--expose-gc");
const collectOnce = runInNewContext("gc") as () => void;
/** A collection frees what the one before finalized. */
function collect() {
  for (let times = 0; times < 3; times += 1) collectOnce();
}

const bytes = (text: string) => Buffer.from(text, "latin1");
const message = (...frames: string[]) => Buffer.concat(encodeMessages([frames.map(bytes)]));

/** The bytes of 37/ZMTP, Greeting. */
const GREETING = bytes(`\xff${"\0".repeat(8)}\x7f\x03\x01NULL${"\0".repeat(16 + 1 + 31)}`);
const property = (name: string, value: string) =>
  `${String.fromCharCode(name.length)}${name}\0\0\0${String.fromCharCode(value.length)}${value}`;
const ready = (type = "DEALER", more = "") =>
  encodeCommand("READY", bytes(property("Socket-Type", type) + more));

const ROUTER: ConnectionOptions = {
  socketType: "ROUTER",
  frameBytesMax: 1000,
  messageBytesMax: 4000,
  deadAfterMs: 4000,
  leaseMs: 2000,
};

/** The effects of these bytes, each in a few words. An identified peer is admitted at once. */
function effectsOf(connection: Connection, ...sent: (Buffer | string)[]): string[] {
  return sent.flatMap((each) => received(connection, each).map(describeEffect));
}

function received(connection: Connection, sent: Buffer | string): Effect[] {
  const effects = connection.receive(typeof sent === "string" ? bytes(sent) : sent);
  return effects.at(-1)?.do === "identify" ? [...effects, ...connection.admit()] : effects;
}

function describeEffect(effect: Effect): string {
  switch (effect.do) {
    case "send":
      return `send ${inText(effect.bytes)}`;
    case "identify":
      return `identify ${inText(effect.identity)}`;
    case "open":
      return "open";
    case "message":
      return `message ${effect.frames.map(inText).join("|")}`;
    case "refuse":
      return `refuse: ${effect.reason}`;
    case "time out":
    case "alive":
    case "pinged":
      return effect.do;
  }
}

const inText = (buffer: Buffer) => buffer.toString("latin1");
const READY_OF_ROUTER = `send ${inText(encodeCommand("READY", bytes(property("Socket-Type", "ROUTER"))))}`;

/** A connection whose handshake is complete. */
function opened(options: Partial<ConnectionOptions> = {}, said: (Buffer | string)[] = []) {
  const connection = new Connection({ ...ROUTER, ...options }, 0);
  effectsOf(connection, GREETING, ready(), ...said);
  assert.ok(connection.open);
  return connection;
}

test("37/ZMTP: the greeting has signature, version 3.1 and mechanism NULL in 64 bytes", () => {
  assert.deepEqual(encodeGreeting(), GREETING);
});

const DEALER: ConnectionOptions = { ...ROUTER, socketType: "DEALER" };
const READY_OF_DEALER = `send ${inText(ready())}`;

test("37/ZMTP: DEALER: READY at the greeting of the peer; open at its READY", () => {
  const connection = new Connection(DEALER, 0);
  assert.deepEqual(effectsOf(connection, GREETING), [READY_OF_DEALER]);
  assert.equal(connection.open, false);
  assert.deepEqual(effectsOf(connection, ready("ROUTER")), ["identify ", "open"]);
  assert.equal(connection.open, true);
});

test("37/ZMTP: ROUTER: READY when the peer is admitted; its messages wait until then", () => {
  const connection = new Connection(ROUTER, 0);
  assert.deepEqual(effectsOf(connection, GREETING), []);
  const effects = connection.receive(Buffer.concat([ready(), message("a"), bytes("\0")]));
  assert.deepEqual(effects.map(describeEffect), ["identify "]);
  assert.deepEqual(connection.receive(bytes("\x01b")), []);
  assert.equal(connection.open, false);
  const admitted = connection.admit().map(describeEffect);
  assert.deepEqual(admitted, [READY_OF_ROUTER, "open", "message a", "message b"]);
  assert.equal(connection.open, true);
  assert.deepEqual(connection.admit(), []);
});

test("37/ZMTP: peer that waits for our READY: it gets READY, and is identified later", () => {
  const connection = new Connection(ROUTER, 0);
  assert.deepEqual(ticks(connection, 0, 3000), []);
  effectsOf(connection, GREETING);
  assert.deepEqual(ticks(connection, 3000, 9000), [`5000: ${READY_OF_ROUTER}`]);
  assert.deepEqual(effectsOf(connection, ready()), ["identify ", "open"]);
});

test("37/ZMTP: probe: PING at once, to an open peer whose version has it", () => {
  const probe = (connection: Connection) => connection.probe().map(describeEffect);
  assert.deepEqual(probe(opened()), [PING]);
  assert.deepEqual(probe(new Connection(ROUTER, 0)), []);
  const old = new Connection(ROUTER, 0);
  effectsOf(old, Buffer.from(GREETING).fill(0, 11, 12), ready());
  assert.deepEqual([old.open, old.knowsPing, probe(old)], [true, false, []]);
});

test("37/ZMTP: READY has the socket type, and the identity where there is one", () => {
  const dealer = { ...ROUTER, socketType: "DEALER" as const, identity: bytes("me") };
  const [said = ""] = effectsOf(new Connection(dealer, 0), GREETING);
  const properties = property("Socket-Type", "DEALER") + property("Identity", "me");
  assert.equal(said, `send ${inText(encodeCommand("READY", bytes(properties)))}`);
});

test("37/ZMTP: version 3.0 or later: accepted; earlier: refused", () => {
  const version = (major: number, minor: number) => {
    const greeting = Buffer.from(GREETING);
    greeting.set([major, minor], 10);
    return effectsOf(new Connection(DEALER, 0), greeting);
  };
  for (const [major, minor] of [
    [3, 0],
    [3, 1],
    [3, 2],
    [4, 0],
  ] as const)
    assert.deepEqual(version(major, minor), [READY_OF_DEALER]);
  for (const major of [0, 1, 2])
    assert.deepEqual(version(major, 0), ["refuse: a ZMTP version below 3.0"]);
});

test("37/ZMTP: invalid greeting: refused at its first wrong byte", () => {
  for (const [greeting, reason] of [
    ["\x01", "not ZMTP"],
    ["G", "not ZMTP"],
    [`\xff${"\0".repeat(9)}`, "not ZMTP"],
    [`\xff${"\0".repeat(8)}\x7f\x01`, "a ZMTP version below 3.0"],
    [`\xff${"\0".repeat(8)}\x7f\x03\0PLAIN${"\0".repeat(15)}`, "a mechanism other than NULL"],
    [`\xff${"\0".repeat(8)}\x7f\x03\0NULLS${"\0".repeat(15)}`, "a mechanism other than NULL"],
  ] as const) {
    const connection = new Connection(ROUTER, 0);
    assert.deepEqual(effectsOf(connection, greeting.slice(0, -1)), []);
    assert.deepEqual(effectsOf(connection, greeting.slice(-1)), [`refuse: ${reason}`]);
    assert.deepEqual(effectsOf(connection, GREETING, ready()), []);
  }
});

test("28/REQREP: ROUTER accepts DEALER, REQ and ROUTER; DEALER accepts ROUTER, DEALER and REP", () => {
  const types = ["DEALER", "REQ", "ROUTER", "REP", "PUB", "SUB", "PUSH", "PULL", "PAIR", "", "x"];
  const talksTo = (socketType: ConnectionOptions["socketType"]) =>
    types.filter((type) => {
      const connection = new Connection({ ...ROUTER, socketType }, 0);
      const effects = effectsOf(connection, GREETING, ready(type));
      if (connection.open) return true;
      const [answer = "", end = ""] = effects.slice(-2);
      assert.ok(answer.includes("\x05ERROR"));
      assert.equal(end, "refuse: a socket type that may not connect to ours");
      return false;
    });
  assert.deepEqual(talksTo("ROUTER"), ["DEALER", "REQ", "ROUTER"]);
  assert.deepEqual(talksTo("DEALER"), ["DEALER", "ROUTER", "REP"]);
});

test("37/ZMTP: property names match in any case; unknown properties are ignored", () => {
  const connection = new Connection(ROUTER, 0);
  const properties =
    property("X-Note", "hi") + property("SOCKET-TYPE", "REQ") + property("identity", "\xffid");
  const said = encodeCommand("READY", bytes(properties));
  assert.equal(effectsOf(connection, GREETING, said)[0], "identify \xffid");
});

test("28/REQREP: identity over 255 bytes or with a leading zero: refused", () => {
  const identified = (identity: string) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(identity.length);
    const said = `\x08Identity${inText(size)}${identity}`;
    return effectsOf(new Connection(ROUTER, 0), GREETING, ready("DEALER", said));
  };
  assert.equal(identified("x".repeat(255))[0], `identify ${"x".repeat(255)}`);
  assert.equal(identified("x".repeat(256)).at(-1), "refuse: the identity is too long");
  assert.equal(identified("\0abcd").at(-1), "refuse: the identity starts with a zero");
});

test("37/ZMTP: anything but a valid READY in the handshake: refused with a reason", () => {
  for (const [said, reason] of [
    [message("a"), "a message before READY"],
    [encodeCommand("PING", bytes("\0\0")), "a command before READY"],
    [encodeCommand("ERROR", bytes("\x04oops")), "the peer sent ERROR"],
    [encodeCommand("READY"), "a socket type that may not connect to ours"],
    [encodeCommand("READY", bytes("\x0bSock")), "a truncated property"],
    [encodeCommand("READY", bytes("\x01x\x7f\xff\xff\xffx")), "a truncated property"],
    [encodeCommand("READY", bytes("\0\0\0\0\0")), "a truncated property"],
    [bytes("\x04\0"), "a command without a name"],
    [bytes("\x04\x01\0"), "a command without a name"],
    [bytes("\x04\x03\x09abc"), "a command without a name"],
  ] as const) {
    const connection = new Connection(ROUTER, 0);
    assert.equal(effectsOf(connection, GREETING, said).at(-1), `refuse: ${reason}`);
    assert.deepEqual(effectsOf(connection, ready()), []);
  }
});

test("37/ZMTP: short, long and empty frames: handed over as one message", () => {
  const connection = opened();
  const long = "x".repeat(256);
  const said = ["\0\x01a", "\x01\0\x01\x02bc\0\0", `\x02\0\0\0\0\0\0\x01\0${long}`];
  assert.deepEqual(effectsOf(connection, ...said), [
    "message a",
    "message |bc|",
    `message ${long}`,
  ]);
});

test("37/ZMTP: invalid frame: refused with a reason", () => {
  for (const [said, reason] of [
    ["\x08\x01a", "a frame with unknown flags"],
    ["\xff\x05junk!", "a frame with unknown flags"],
    ["\x05\x05\x04PING", "a command with the MORE flag"],
    [`\x02\0\0\0\0\0\0\x03\xe9`, "too large a frame"],
    [`\x02\x7f${"\xff".repeat(7)}`, "too large a frame"],
    [`\x02${"\xff".repeat(8)}`, "too large a frame"],
    [ready(), "a second READY"],
    [encodeCommand("ERROR", bytes("\x04oops")), "the peer sent ERROR"],
    [encodeCommand("PING", bytes("\0")), "a PING without a time to live"],
    [encodeCommand("PING", bytes(`\0\0${"x".repeat(17)}`)), "a PING with too long a context"],
  ] as const) {
    const connection = opened();
    assert.deepEqual(effectsOf(connection, said, message("later")), [`refuse: ${reason}`]);
    assert.equal(connection.open, false);
  }
});

test("Ours: message past its bound in bytes or frames: refused", () => {
  const thousand = `\x03\0\0\0\0\0\0\x03\xe8${"x".repeat(1000)}`;
  const full = effectsOf(opened(), ...Array(4).fill(thousand), "\0\0");
  assert.equal(full.length, 1);
  assert.deepEqual(effectsOf(opened(), ...Array(4).fill(thousand), "\0\x01x"), [
    "refuse: too large a message",
  ]);
  const empty = "\x01\0".repeat(100_000);
  assert.deepEqual(effectsOf(opened(), empty), []);
  assert.deepEqual(effectsOf(opened(), empty, "\x01\0"), ["refuse: a message of too many frames"]);
});

test("37/ZMTP: PING, also in the middle of a message: PONG with its context", () => {
  const ping = encodeCommand("PING", bytes("\0\x0acontext"));
  const pong = `send ${inText(encodeCommand("PONG", bytes("context")))}`;
  assert.deepEqual(effectsOf(opened(), "\x01\x01a", ping, "\0\x01b"), [
    pong,
    "pinged",
    "message a|b",
  ]);
});

test("37/ZMTP: unknown commands: ignored", () => {
  const said = [encodeCommand("PONG"), encodeCommand("HELLO", bytes("x")), message("a")];
  assert.deepEqual(effectsOf(opened(), ...said), ["message a"]);
});

/** The effects of a tick per second, from one time to the other, in ms. */
const ticks = (connection: Connection, from: number, to: number) =>
  Array.from({ length: (to - from) / 1000 }, (_, nth) => from + 1000 * (nth + 1)).flatMap((now) =>
    connection.tick(now).map((effect) => `${now}: ${describeEffect(effect)}`),
  );

const PING = "send \x04\x07\x04PING\0\x28"; // Its time to live is 4 s.

test("37/ZMTP: silent peer: one PING, then a time-out", () => {
  const connection = opened();
  assert.deepEqual(ticks(connection, 0, 6000), [`2000: ${PING}`, "5000: time out"]);
  assert.deepEqual(effectsOf(connection, message("too late")), []);
});

test("37/ZMTP: any byte renews the time-out; the next silence brings another PING", () => {
  const connection = opened();
  assert.deepEqual(ticks(connection, 0, 3000), [`2000: ${PING}`]);
  effectsOf(connection, "\0"); // Half a frame is a sign of life.
  assert.deepEqual(ticks(connection, 3000, 9000), [`5000: ${PING}`, "8000: time out"]);
});

test("37/ZMTP: silent peer of version 3.0, without PING: no time-out", () => {
  const connection = new Connection(ROUTER, 0);
  const greeting = Buffer.from(GREETING);
  greeting[11] = 0;
  effectsOf(connection, greeting, ready());
  assert.deepEqual(ticks(connection, 0, 60_000), []);
});

test("37/ZMTP: PING with a time to live: a shorter one shortens the time-out, a longer one does not extend it", () => {
  const connection = opened({}, [encodeCommand("PING", bytes("\0\x14"))]);
  assert.deepEqual(ticks(connection, 0, 4000), [`2000: ${PING}`, "3000: time out"]);
  const patient = opened({}, [encodeCommand("PING", bytes("\xff\xff"))]);
  assert.deepEqual(ticks(patient, 0, 9000), [`2000: ${PING}`, "5000: time out"]);
});

test("37/ZMTP: bytes drained after the peer was blocked: they put off the time-out, and not the PING", () => {
  const connection = opened();
  ticks(connection, 0, 3000);
  connection.drained();
  assert.deepEqual(ticks(connection, 3000, 9000), ["8000: time out"]);
  const pinged = opened();
  assert.deepEqual(ticks(pinged, 0, 1000), []);
  pinged.drained();
  assert.deepEqual(ticks(pinged, 1000, 2000), [`2000: ${PING}`]);
});

/** The effects of ticks while the peer sends so many bytes of a message per tick. */
function slowTicks(connection: Connection, ms: number, count: number, size: number) {
  return Array.from({ length: count }, (_, nth) => ms * (nth + 1)).flatMap((now) => {
    effectsOf(connection, "x".repeat(size));
    return connection.tick(now).map((effect) => `${now}: ${describeEffect(effect)}`);
  });
}

const LARGE = { frameBytesMax: 2 ** 20, messageBytesMax: 2 ** 20 };
const ANNOUNCED = "\x02\0\0\0\0\0\x08\0\0";
/** 8 KiB per second is 2 KiB per quarter of a second. */
const QUARTER_MS = 250;

test("Ours: message that takes long: a PING per quarter of a lease, until it is complete", () => {
  const connection = opened(LARGE, ["\x02\0\0\0\0\0\0\x0f\xa0"]);
  const pings = [500, 1000, 1500, 2000].map((at) => `${at - 250}: ${PING}`);
  assert.deepEqual(slowTicks(connection, QUARTER_MS, 8, 400), pings);
  assert.equal(effectsOf(connection, "x".repeat(800)).length, 1);
  assert.deepEqual(connection.tick(2250), []);
  assert.deepEqual(connection.tick(2500), []);
});

test("Ours: peer of version 3.0 whose message takes long: no PING", () => {
  const connection = new Connection({ ...ROUTER, ...LARGE }, 0);
  const greeting = Buffer.from(GREETING);
  greeting[11] = 0;
  effectsOf(connection, greeting, ready(), ANNOUNCED);
  assert.deepEqual(new Set(slowTicks(connection, QUARTER_MS, 8, 1)), new Set());
});

test("Ours: 8 KiB per second of the lease: a sign of life; less: none", () => {
  const lives = (bytes: number) =>
    slowTicks(opened(LARGE, [ANNOUNCED]), QUARTER_MS, 16, bytes)
      .filter((line) => line.endsWith("alive"))
      .map((line) => Number.parseInt(line, 10));
  const later = Array.from({ length: 9 }, (_, nth) => 2000 + 250 * nth);
  assert.deepEqual(lives(2046), []);
  assert.deepEqual(lives(2048), later);
  assert.deepEqual(lives(4096), [1000, 1250, 1500, 1750, ...later]);
});

test("Ours: one burst of a message: a sign of life when it comes, and not later", () => {
  const connection = opened(LARGE, [ANNOUNCED, "x".repeat(100_000)]);
  const lives = ticks(connection, 0, 3000).filter((line) => line.endsWith("alive"));
  assert.deepEqual(lives, ["1000: alive"]);
});

test("Ours: ticks that come late: the silence was our own, no time-out", () => {
  const connection = opened();
  ticks(connection, 0, 1000);
  assert.deepEqual(connection.tick(61_000), []);
  assert.deepEqual(ticks(connection, 61_000, 66_000), [`62000: ${PING}`, "65000: time out"]);
});

/** Messages of frames of all kinds. */
const messages = fc.array(
  fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: 1, maxLength: 5 }),
);
const toFrames = (frames: Uint8Array[]): Frame[] => frames.map((frame) => Buffer.from(frame));

test("37/ZMTP: messages cut into chunks anywhere: decoded to the same messages", () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 });
  fc.assert(
    fc.property(messages, cuts, (sent, lengths) => {
      const wire = Buffer.concat([GREETING, ready(), ...encodeMessages(sent.map(toFrames))]);
      const connection = new Connection(ROUTER, 0);
      const got: Frame[][] = [];
      for (let [at, nth] = [0, 0]; at < wire.length; nth += 1) {
        const end = at + (lengths[nth % lengths.length] as number);
        for (const effect of received(connection, wire.subarray(at, end)))
          if (effect.do === "message") got.push(effect.frames);
        at = end;
      }
      assert.deepEqual(got, sent.map(toFrames));
    }),
    { numRuns: 2000 },
  );
});

test("37/ZMTP: frames of any length in chunks of 64 KiB: decoded to the same frames", () => {
  const mega = 2 ** 20;
  const lengths = [0, 1, 24, 25, 255, 256, 4096, 4097, 65_536, mega, mega + 1, 5 * mega];
  const sent = lengths.map((length) => Buffer.alloc(length, `${length},`));
  const connection = opened({ frameBytesMax: 8 * mega, messageBytesMax: 16 * mega });
  const wire = Buffer.concat(encodeMessages([sent]));
  const effects: Effect[] = [];
  for (let at = 0; at < wire.length; at += 65_536)
    effects.push(...connection.receive(wire.subarray(at, at + 65_536)));
  assert.equal(effects.length, 1);
  const [got] = effects;
  assert.ok(got?.do === "message");
  assert.ok(got.frames.every((frame, nth) => frame.equals(sent[nth] as Frame)));
});

test("Ours: a large frame is a piece by itself; small frames are copied into one piece", () => {
  const large = Buffer.alloc(100_000, "x");
  const pieces = encodeMessages([[bytes("a"), large, bytes("b")], [bytes("c")]]);
  assert.deepEqual(
    pieces.map((piece) => (piece === large ? "large" : piece.toString("latin1"))),
    ["\x01\x01a\x03\0\0\0\0\0\x01\x86\xa0", "large", "\0\x01b\0\x01c"],
  );
});

test("Ours: any bytes: nothing throws, and nothing follows a refusal", () => {
  const piece = fc.oneof(
    fc.constantFrom(GREETING, GREETING.subarray(0, 11), ready(), ready("PUB"), message("a", "b")),
    fc.constantFrom(...["\0", "\x01", "\x02", "\x04", "\x06", "\xff", "\x05READY"].map(bytes)),
    fc.constantFrom(encodeCommand("PING", bytes("\0\x01x")), encodeCommand("HELLO")),
    fc.uint8Array({ maxLength: 80 }).map((random) => Buffer.from(random)),
  );
  const ends = new Set<string>();
  fc.assert(
    fc.property(fc.boolean(), fc.array(piece, { maxLength: 12 }), (politely, pieces) => {
      const connection = new Connection(ROUTER, 0);
      const said = politely ? [GREETING, ready(), ...pieces] : pieces;
      const effects = said.flatMap((each) => received(connection, each));
      const refusals = effects.filter((effect) => effect.do === "refuse");
      for (const refusal of refusals) ends.add(refusal.reason);
      assert.ok(refusals.length <= 1);
      if (refusals.length === 1) assert.equal(effects.at(-1), refusals[0]);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(ends.size >= 10, [...ends].join(", "));
});

test("Ours: unfinished message in crumbs among other bytes: its frames keep no more than their bytes", () => {
  const most = { ...ROUTER, messageBytesMax: 2 ** 20 };
  const connection = opened(most);
  const rest = Buffer.concat(Array(7000).fill(encodeCommand("HELLO")));
  const before = process.memoryUsage().arrayBuffers;
  for (let nth = 0; nth < 1000; nth += 1) {
    const crumb = Buffer.concat([bytes("\x01\x02me"), rest]);
    assert.deepEqual(effectsOf(connection, crumb), []);
  }
  collect();
  const taken = process.memoryUsage().arrayBuffers - before;
  assert.ok(taken < 2 ** 22, `${taken} bytes`);
  assert.ok(connection.unfinishedBytes > 1000 * 100);
});

test("Ours: whole message: the connection keeps nothing of its bytes", () => {
  const connections = Array.from({ length: 100 }, () => opened(LARGE));
  collect();
  const before = process.memoryUsage().arrayBuffers;
  for (const connection of connections)
    assert.equal(effectsOf(connection, message("x".repeat(1000), "y".repeat(65_000))).length, 1);
  collect();
  const taken = process.memoryUsage().arrayBuffers - before;
  assert.ok(taken < 100 * 10_000, `${taken} bytes`);
});

test("Ours: peer that announces 2 GiB and sends little: little memory is used", () => {
  const most = 2 ** 31 - 1;
  const options = { ...ROUTER, frameBytesMax: most, messageBytesMax: most };
  const before = process.memoryUsage().arrayBuffers;
  const announced = `\x02\0\0\0\0\x7f\xff\xff\xff`;
  const connections = Array.from({ length: 20 }, () => opened(options, [announced, "x"]));
  const taken = process.memoryUsage().arrayBuffers - before;
  assert.ok(taken < connections.length * 2 ** 21, `${taken} bytes`);
});
