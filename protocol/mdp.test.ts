import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MDP_0_1 as dialect } from "./dialects.ts";
import type { Frame } from "./frame.ts";
import { type Command, CREDIT_MAX, decode, encode } from "./mdp.ts";

const frames = (...values: (string | number[])[]): Frame[] =>
  values.map((value) => Buffer.from(value as string));

const WORKER: { name: string; command: Command; wire: Frame[] }[] = [
  {
    name: "READY",
    command: {
      header: "worker",
      dialect,
      name: "READY",
      service: Buffer.from("echo"),
      credit: null,
    },
    wire: frames("", "MDPW01", [1], "echo"),
  },
  {
    name: "READY with credit",
    command: { header: "worker", dialect, name: "READY", service: Buffer.from("echo"), credit: 16 },
    wire: frames("", "MDPW01", [1], "echo", "16"),
  },
  {
    name: "REQUEST",
    command: {
      header: "worker",
      dialect,
      name: "REQUEST",
      client: Buffer.from("c1"),
      body: frames("a", ""),
    },
    wire: frames("", "MDPW01", [2], "c1", "", "a", ""),
  },
  {
    name: "REPLY",
    command: {
      header: "worker",
      dialect,
      name: "REPLY",
      client: Buffer.from("c1"),
      body: frames("a"),
    },
    wire: frames("", "MDPW01", [3], "c1", "", "a"),
  },
  {
    name: "HEARTBEAT",
    command: { header: "worker", dialect, name: "HEARTBEAT" },
    wire: frames("", "MDPW01", [4]),
  },
  {
    name: "DISCONNECT",
    command: { header: "worker", dialect, name: "DISCONNECT" },
    wire: frames("", "MDPW01", [5]),
  },
];

for (const { name, command, wire } of WORKER) {
  test(`7/MDP: ${name} has its frames, both ways`, () => {
    assert.deepEqual(encode(command), wire);
    assert.deepEqual(decode(wire), command);
  });
}

test("7/MDP: a client command has its frames, both ways, with and without an envelope", () => {
  for (const envelope of [frames(""), frames("id", ""), frames("proxy", "id", "")]) {
    const service = Buffer.from("echo");
    const command: Command = {
      header: "client",
      dialect,
      name: "REQUEST",
      envelope,
      service,
      body: frames("", "b"),
    };
    const wire = [...envelope, ...frames("MDPC01", "echo", "", "b")];
    assert.deepEqual(encode(command), wire);
    assert.deepEqual(decode(wire), command);
  }
});

test("a service name has up to 255 bytes", () => {
  const name = "x".repeat(255);
  assert.equal(decode(frames("", "MDPC01", name, "a")).header, "client");
  assert.equal(decode(frames("", "MDPW01", [1], name)).header, "worker");
});

test("a REPLY without the delimiter is taken as it comes, a REQUEST is not", () => {
  const reply = decode(frames("", "MDPW01", [3], "c1", "a", "b"));
  assert.deepEqual(reply, {
    header: "worker",
    dialect,
    name: "REPLY",
    client: Buffer.from("c1"),
    body: frames("a", "b"),
  });
  assert.equal(decode(frames("", "MDPW01", [2], "c1", "a")).header, "invalid");
});

const INVALID: [string, Frame[], string][] = [
  ["nothing", [], "no header, nor an empty frame before one"],
  ["no empty frame", frames("junk"), "no header, nor an empty frame before one"],
  ["no header", frames(""), "no header"],
  ["another header", frames("", "MDPX01", "echo", "a"), "unknown header"],
  ["a header in lower case", frames("", "mdpc01", "echo", "a"), "unknown header"],
  ["a worker with an envelope", frames("x", "", "MDPW01", [4]), "a worker with an envelope"],
  ["a client without a service", frames("", "MDPC01"), "client command: no service name"],
  [
    "a client with an empty service",
    frames("", "MDPC01", "", "a"),
    "client command: no service name",
  ],
  ["a client without a body", frames("", "MDPC01", "echo"), "client command: no body"],
  [
    "a name of 256 bytes",
    frames("", "MDPC01", "x".repeat(256), "a"),
    "client command: the service name is too long",
  ],
  ["a worker without a command", frames("", "MDPW01"), "unknown worker command"],
  ["a command 0", frames("", "MDPW01", [0]), "unknown worker command"],
  ["a command 6", frames("", "MDPW01", [6]), "unknown worker command"],
  ["a command of two bytes", frames("", "MDPW01", [1, 1], "echo"), "unknown worker command"],
  ["READY without a service", frames("", "MDPW01", [1]), "READY: no service name"],
  ["READY with an empty service", frames("", "MDPW01", [1], ""), "READY: no service name"],
  [
    "READY with too much",
    frames("", "MDPW01", [1], "echo", "1", "x"),
    "READY: frames after the credit",
  ],
  ...["0", "-1", "1.5", "01", "", "ten", "65536", "9".repeat(400)].map(
    (credit): [string, Frame[], string] => [
      `READY with credit ${credit.slice(0, 9)}`,
      frames("", "MDPW01", [1], "echo", credit),
      `READY: the credit is not a number from 1 to ${CREDIT_MAX}`,
    ],
  ),
  ["REPLY without a client", frames("", "MDPW01", [3]), "REPLY: no client address"],
  [
    "REPLY with an empty client",
    frames("", "MDPW01", [3], "", "", "a"),
    "REPLY: no client address",
  ],
  ["REPLY without a body", frames("", "MDPW01", [3], "c1", ""), "REPLY: no body"],
  ["HEARTBEAT with more", frames("", "MDPW01", [4], "x"), "HEARTBEAT: frames after the command"],
  ["DISCONNECT with more", frames("", "MDPW01", [5], ""), "DISCONNECT: frames after the command"],
  ["too many frames", new Array(70_000).fill(Buffer.alloc(0)), "too many frames"],
];

for (const [name, wire, why] of INVALID) {
  test(`invalid, with a reason: ${name}`, () => {
    assert.deepEqual(decode(wire), { header: "invalid", why });
  });
}

test("decoding is total: whatever comes is a command that encodes to the same frames, or invalid", () => {
  const piece = fc.oneof(
    fc.constantFrom("", "MDPC01", "MDPW01", "echo", "\x01", "\x02", "\x03", "\x04", "\x05", "7"),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const wire = pieces.map((value) => Buffer.from(value, "latin1"));
      const command = decode(wire);
      if (command.header === "invalid") return command.why.length > 0;
      const again = encode(command);
      // Only the delimiter that a REPLY may leave out can come back added.
      return Buffer.concat(again).equals(Buffer.concat(wire)) && again.length - wire.length <= 1;
    }),
    { numRuns: 20_000 },
  );
});
