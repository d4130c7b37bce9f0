import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type ClientCommandName,
  type Dialect,
  MDP_0_1,
  MDP_0_1_TEXT,
  MDP_0_2,
  type WorkerCommandName,
} from "./dialects.ts";
import type { Frame } from "./frame.ts";
import { type Command, decode, encode, serviceFrame, type WorkerCommand } from "./mdp.ts";
import type { Pair } from "./pairs.ts";
import { type About, CREDIT_MAX } from "./ready.ts";

const frames = (...values: (string | number[])[]): Frame[] =>
  values.map((value) => Buffer.from(value as string));

type Code = string | number[];
type Start = {
  dialect: Dialect;
  before: string[];
  codes: Partial<Record<WorkerCommandName, Code>>;
};

/** The first frames of a worker's commands, per dialect. */
const STARTS: Start[] = [
  {
    dialect: MDP_0_1,
    before: ["", "MDPW01"],
    codes: { READY: [1], REQUEST: [2], REPLY: [3], HEARTBEAT: [4], DISCONNECT: [5] },
  },
  {
    dialect: MDP_0_1_TEXT,
    before: ["", "MDPW01"],
    codes: {
      READY: "READY",
      REQUEST: "REQUEST",
      REPLY: "REPLY",
      HEARTBEAT: "HEARTBEAT",
      DISCONNECT: "DISCONNECT",
    },
  },
  {
    dialect: MDP_0_2,
    before: ["MDPW02"],
    codes: { READY: [1], REQUEST: [2], PARTIAL: [3], REPLY: [4], HEARTBEAT: [5], DISCONNECT: [6] },
  },
];

const service = Buffer.from("echo");
const client = Buffer.from("c1");

type Headless<Of> = Of extends WorkerCommand ? Omit<Of, "header" | "dialect"> : never;

const bare = { delivery: 1, progress: false, callId: null, by: null, headers: null };
const about: About = { name: "w", knows: new Set(["meta"]) };
const pairs: Pair[] = [{ name: "limit", limit: 7 }];
const METADATA = "\x01\0\0\x01\0\0\0\x05";

/** The same for commands of peers that know more. */
const EXTENDED: [string, Headless<WorkerCommand>, string[]][] = [
  [
    "READY with keys",
    { name: "READY", service, credit: 16, about },
    ["echo", "16", "name=w", "knows=meta"],
  ],
  [
    "REQUEST with metadata",
    { name: "REQUEST", client, metadata: { ...bare, msLeft: 5 }, body: frames("", "a") },
    ["c1", METADATA, "", "a"],
  ],
  ["HEARTBEAT with pairs", { name: "HEARTBEAT", pairs }, ["limit", "7"]],
  ["HEARTBEAT with an unknown name", { name: "HEARTBEAT", pairs: [] }, ["colour", "red"]],
];

/** The frames after those, the same in all dialects. */
const COMMANDS: [string, Headless<WorkerCommand>, string[]][] = [
  ["READY", { name: "READY", service, credit: null }, ["echo"]],
  ["READY with credit", { name: "READY", service, credit: 16 }, ["echo", "16"]],
  ["REQUEST", { name: "REQUEST", client, body: frames("a", "") }, ["c1", "", "a", ""]],
  ["PARTIAL", { name: "PARTIAL", client, body: frames("", "a") }, ["c1", "", "", "a"]],
  ["REPLY", { name: "REPLY", client, body: frames("a") }, ["c1", "", "a"]],
  ["HEARTBEAT", { name: "HEARTBEAT" }, []],
  ["DISCONNECT", { name: "DISCONNECT" }, []],
];

for (const { dialect, before, codes } of STARTS) {
  for (const [title, command, rest] of COMMANDS) {
    const code = codes[command.name];
    if (code === undefined) continue;
    test(`MDP ${dialect.name}: ${title} encodes to its frames and decodes from them`, () => {
      const whole: Command = { header: "worker", dialect, ...command };
      const wire = frames(...before, code, ...rest);
      assert.deepEqual(encode(whole), wire);
      assert.deepEqual(decode(wire), whole);
      assert.deepEqual(decode(wire, true), whole);
    });
  }
  for (const [title, command, rest] of EXTENDED) {
    test(`MDP ${dialect.name}: ${title} decodes if the receiver extends, else it is invalid`, () => {
      const whole: Command = { header: "worker", dialect, ...command };
      const wire = frames(...before, codes[command.name] ?? "", ...rest);
      if (title !== "HEARTBEAT with an unknown name") assert.deepEqual(encode(whole), wire);
      assert.deepEqual(decode(wire, true), whole);
      assert.equal(decode(wire).header, "invalid");
    });
  }
}

test("HEARTBEAT without pairs: three frames, and no property for them", () => {
  const beat = { header: "worker", dialect: MDP_0_1, name: "HEARTBEAT" } as const;
  assert.deepEqual(encode({ ...beat, pairs: [] }), frames("", "MDPW01", [4]));
  assert.ok(!("pairs" in decode(frames("", "MDPW01", [4]), true)));
});

for (const [title, wire, reason] of [
  [
    "READY with 17 keys",
    frames("", "MDPW01", [1], "echo", "1", ...Array(17).fill("a=b")),
    "READY: more than 16 frames after the credit",
  ],
  [
    "REQUEST with malformed metadata",
    frames("", "MDPW01", [2], "c1", "x", "a"),
    "REQUEST: malformed metadata",
  ],
  [
    "REQUEST with metadata and no body",
    frames("", "MDPW01", [2], "c1", METADATA),
    "REQUEST: no body",
  ],
  ["REQUEST of one frame", frames("", "MDPW01", [2], "c1"), "REQUEST: no empty frame"],
  ["REQUEST without an address", frames("", "MDPW01", [2]), "REQUEST: no client address"],
  [
    "HEARTBEAT with a name alone",
    frames("", "MDPW01", [4], "limit"),
    "HEARTBEAT: a name without a value",
  ],
  [
    "DISCONNECT with pairs",
    frames("", "MDPW01", [5], "limit", "7"),
    "DISCONNECT: frames after the command",
  ],
] as [string, Frame[], string][]) {
  test(`${title}, to a receiver that extends: invalid, "${reason}"`, () => {
    assert.deepEqual(decode(wire, true), { header: "invalid", reason });
  });
}

test("REPLY and PARTIAL to a receiver that extends: the frame before the body is part of it", () => {
  for (const [name, code] of [
    ["PARTIAL", 3],
    ["REPLY", 4],
  ] as const) {
    const answer = { header: "worker", dialect: MDP_0_2, name, client };
    const wire = frames("MDPW02", [code], "c1", METADATA, "a");
    assert.deepEqual(decode(wire, true), { ...answer, body: frames(METADATA, "a") });
  }
});

test("PARTIAL in 0.1: encoding it throws a TypeError", () => {
  for (const dialect of [MDP_0_1, MDP_0_1_TEXT]) {
    const partial = { dialect, name: "PARTIAL", body: frames("a") } as const;
    const [service] = frames("echo") as [Frame];
    assert.throws(() => encode({ ...partial, header: "worker", client }), TypeError);
    assert.throws(
      () => encode({ ...partial, header: "client", envelope: dialect.delimiter, service }),
      TypeError,
    );
  }
});

test("7/MDP, MDP/Client: commands encode and decode, with and without an envelope", () => {
  for (const envelope of [frames(""), frames("id", ""), frames("proxy", "id", "")]) {
    const body = frames("", "b");
    const start = { header: "client", dialect: MDP_0_1, envelope, service, body } as const;
    const wire = [...envelope, ...frames("MDPC01", "echo", "", "b")];
    assert.deepEqual(encode({ ...start, name: "REQUEST" }), wire);
    assert.deepEqual(encode({ ...start, name: "REPLY" }), wire);
    assert.deepEqual(decode(wire), { ...start, name: "REQUEST" });
  }
});

test("18/MDP, MDP/Client: commands encode and decode, with and without an envelope", () => {
  const codes: [ClientCommandName, number][] = [
    ["REQUEST", 1],
    ["PARTIAL", 2],
    ["REPLY", 3],
  ];
  for (const before of [[], ["id"], ["proxy", "id"], [""], ["id", ""], ["MDPC01"]]) {
    for (const [name, code] of codes) {
      const [envelope, body] = [frames(...before), frames("", "MDPC02")];
      const dialect = MDP_0_2;
      const command: Command = { header: "client", dialect, name, envelope, service, body };
      const wire = [...envelope, ...frames("MDPC02", [code], "echo", "", "MDPC02")];
      assert.deepEqual(encode(command), wire);
      assert.deepEqual(decode(wire), command);
    }
  }
});

test("service name with half a surrogate pair: RangeError, because all such names have the same bytes", () => {
  assert.throws(() => serviceFrame("echo\ud800"), { name: "RangeError" });
  assert.deepEqual(serviceFrame("größe"), Buffer.from("größe"));
});

test("service name of 255 bytes: accepted", () => {
  const name = "x".repeat(255);
  assert.equal(decode(frames("MDPC02", [1], name, "a")).header, "client");
  assert.equal(decode(frames("", "MDPC01", name, "a")).header, "client");
  assert.equal(decode(frames("", "MDPW01", [1], name)).header, "worker");
});

test("delimiter omitted: a REPLY is accepted, a REQUEST is invalid", () => {
  for (const { dialect, before, codes } of STARTS) {
    for (const name of ["PARTIAL", "REPLY"] as const) {
      const code = codes[name];
      if (code === undefined) continue;
      const body = frames("a", "b");
      const reply = { header: "worker", dialect, name, client, body };
      assert.deepEqual(decode(frames(...before, code, "c1", "a", "b")), reply);
    }
    const request = decode(frames(...before, codes.REQUEST as Code, "c1", "a"));
    assert.deepEqual(request, { header: "invalid", reason: "REQUEST: no empty frame" });
  }
});

const INVALID: [string, Frame[], string][] = [
  ["nothing", [], "no header, nor an empty frame before one"],
  ["no empty frame", frames("junk"), "no header, nor an empty frame before one"],
  ["no header", frames(""), "no header"],
  ["another header", frames("", "MDPX01", "echo", "a"), "unknown header"],
  ["a header in lower case", frames("", "mdpc01", "echo", "a"), "unknown header"],
  ["a header of no MDP", frames("", "MDPC03", "echo", "a"), "unknown header"],
  [
    "a header of 0.1 without the empty frame",
    frames("MDPC01", "echo", "a"),
    "no header, nor an empty frame before one",
  ],
  [
    "a worker's header of 0.1 without the empty frame",
    frames("MDPW01", [4]),
    "no header, nor an empty frame before one",
  ],
  ["a worker with an envelope", frames("x", "", "MDPW01", [4]), "a worker with an envelope"],
  ["a worker of 0.2 with an envelope", frames("x", "MDPW02", [5]), "a worker with an envelope"],
  ["a worker of 0.2 with an empty frame", frames("", "MDPW02", [5]), "a worker with an envelope"],
  ["a client of 0.2 without a command", frames("MDPC02"), "unknown client command"],
  ["a client's command 0", frames("MDPC02", [0], "echo", "a"), "unknown client command"],
  ["a client's command 4", frames("MDPC02", [4], "echo", "a"), "unknown client command"],
  ["a client's command as text", frames("MDPC02", "REQUEST", "a", "b"), "unknown client command"],
  ["a client of 0.2 without a service", frames("MDPC02", [1]), "client command: no service name"],
  ["a client of 0.2 without a body", frames("MDPC02", [1], "echo"), "client command: no body"],
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
  ["a command 7 of 0.2", frames("MDPW02", [7]), "unknown worker command"],
  ["a word in lower case", frames("", "MDPW01", "heartbeat"), "unknown worker command"],
  ["a word with more after it", frames("", "MDPW01", "HEARTBEATS"), "unknown worker command"],
  ["PARTIAL as text", frames("", "MDPW01", "PARTIAL", "c1", "", "a"), "unknown worker command"],
  ["a word in 0.2", frames("MDPW02", "HEARTBEAT"), "unknown worker command"],
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
  ["PARTIAL without a client", frames("MDPW02", [3]), "PARTIAL: no client address"],
  ["PARTIAL without a body", frames("MDPW02", [3], "c1", ""), "PARTIAL: no body"],
  ["HEARTBEAT with more", frames("", "MDPW01", [4], "x"), "HEARTBEAT: frames after the command"],
  ["DISCONNECT with more", frames("", "MDPW01", [5], ""), "DISCONNECT: frames after the command"],
  ["too many frames", new Array(70_000).fill(Buffer.alloc(0)), "too many frames"],
];

for (const [name, wire, reason] of INVALID) {
  test(`${name}: invalid, "${reason}"`, () => {
    assert.deepEqual(decode(wire), { header: "invalid", reason });
  });
}

test("any frames: a command that encodes to the same frames, or invalid with a reason", () => {
  const ready = ["", "MDPW01", "READY", "echo", "7"];
  const request = ["", "MDPW01", "\x02", "client", METADATA];
  const starts = [[], ["", "MDPC01"], ["MDPC02"], ["", "MDPW01"], ["MDPW02"], ready, request];
  const start = fc.constantFrom(...starts);
  const headers = ["MDPC01", "MDPC02", "MDPW01", "MDPW02"];
  const words = ["READY", "REQUEST", "PARTIAL", "REPLY", "HEARTBEAT", "DISCONNECT"];
  const codes = ["\x01", "\x02", "\x03", "\x04", "\x05", "\x06", ...words];
  const piece = fc.oneof(
    fc.constantFrom("", "echo", "7", "limit", "a=b", "name=w", METADATA),
    fc.constantFrom(...headers),
    fc.constantFrom(...codes),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  const dialects = new Set<Dialect>();
  const extended = new Set<string>();
  fc.assert(
    fc.property(start, fc.array(piece, { maxLength: 9 }), (before, pieces) => {
      const wire = [...before, ...pieces].map((value) => Buffer.from(value, "latin1"));
      const command = decode(wire);
      const more = decode(wire, true);
      if (command.header === "invalid" && more.header === "worker") {
        extended.add(more.name);
        if (more.name === "HEARTBEAT" && more.pairs?.length === 0) return; // Unknown names.
        return assert.deepEqual(decode(encode(more), true), more);
      }
      assert.deepEqual(more.header, command.header);
      if (command.header === "invalid") return command.reason.length > 0;
      assert.deepEqual(more, command);
      dialects.add(command.dialect);
      const again = encode(command);
      // Encoding adds the delimiter to a REPLY that omitted it, and nothing else.
      return Buffer.concat(again).equals(Buffer.concat(wire)) && again.length - wire.length <= 1;
    }),
    { numRuns: 20_000 },
  );
  assert.deepEqual(dialects, new Set([MDP_0_1, MDP_0_1_TEXT, MDP_0_2]));
  assert.deepEqual(extended, new Set(["READY", "REQUEST", "HEARTBEAT"]));
});
