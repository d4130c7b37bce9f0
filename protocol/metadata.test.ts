import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeMetadata, encodeMetadata, handlerId, type Metadata } from "./metadata.ts";
import { idFrame } from "./request-id.ts";

const ID = "0123456789abcdef";
const bare: Metadata = {
  delivery: 1,
  msLeft: 5000,
  progress: false,
  callId: null,
  by: null,
  headers: null,
};
const hex = (metadata: Metadata) => encodeMetadata(metadata).toString("hex");
const latin1 = (text: string) => Buffer.from(text, "latin1");

test("metadata without a call id: eight bytes", () => {
  assert.equal(hex(bare), "0100000100001388");
  assert.equal(hex({ ...bare, delivery: 258, progress: true }), "0101010200001388");
  assert.deepEqual(decodeMetadata(Buffer.from("0101010200001388", "hex")), {
    ...bare,
    delivery: 258,
    progress: true,
  });
});

test("call id, key name and headers: after the eight bytes, in this order", () => {
  const whole = { ...bare, callId: ID, by: "alice", headers: { a: "é", b: "" } };
  const wire = Buffer.concat([
    Buffer.from("010e000100001388", "hex"),
    latin1(`\x10${ID}\x05alice\x02\x01a\0\x02\xc3\xa9\x01b\0\0`),
  ]);
  assert.deepEqual(encodeMetadata(whole), wire);
  assert.deepEqual(decodeMetadata(wire), whole);
});

test("numbers beyond their bytes: the nearest that fits", () => {
  assert.equal(hex({ ...bare, delivery: 1e9, msLeft: 1e12 }), "0100ffffffffffff");
  assert.equal(hex({ ...bare, delivery: 0, msLeft: -5 }), "0100000100000000");
  assert.equal(hex({ ...bare, msLeft: 1.6 }), "0100000100000002");
});

test("flags and bytes of a newer sender: ignored", () => {
  const wire = Buffer.from("01f1000100001388ffff", "hex");
  assert.deepEqual(decodeMetadata(wire), { ...bare, progress: true });
});

const fixed = "\x01\x02\0\x01\0\0\0\0";
const withBy = (by: string) => `\x01\x04\0\x01\0\0\0\0${String.fromCharCode(by.length)}${by}`;
const withHeaders = (rest: string) => `\x01\x08\0\x01\0\0\0\0${rest}`;
for (const [title, wire] of [
  ["no bytes", ""],
  ["seven bytes", "\x01\0\0\x01\0\0\0"],
  ["version 0", "\0\0\0\x01\0\0\0\0"],
  ["version 2", "\x02\0\0\x01\0\0\0\0"],
  ["delivery 0", "\x01\0\0\0\0\0\0\0"],
  ["call id that is missing", fixed],
  ["call id that is cut off", `${fixed}\x10${ID.slice(1)}`],
  ["call id of 15 bytes", `${fixed}\x0f${ID.slice(1)}`],
  ["call id of 129 bytes", `${fixed}\x81${"x".repeat(129)}`],
  ["call id that is not UTF-8", `${fixed}\x10${ID.slice(1)}\xff`],
  ["key name without bytes", withBy("")],
  ["key name with a NUL", withBy("a\0b")],
  ["33 headers", withHeaders(`\x21${"\x01a\0\0".repeat(33)}`)],
  ["header without a name", withHeaders("\x01\0\0\0")],
  ["header that is cut off", withHeaders("\x01\x01a\0\x02x")],
  ["headers that are missing", withHeaders("\x02\x01a\0\0")],
  ["headers of 4,097 bytes", withHeaders(`\x01\x01a\x10\0${"x".repeat(4096)}`)],
  ["8,193 bytes", `\x01\0\0\x01\0\0\0\0${"x".repeat(8185)}`],
] as const) {
  test(`${title}: no metadata`, () => {
    assert.equal(decodeMetadata(latin1(wire)), null);
  });
}

test("text or headers beyond their bounds: encoding them throws a RangeError", () => {
  const halfAPair = "\ud800".padStart(20);
  for (const callId of ["x".repeat(15), "x".repeat(129), halfAPair])
    assert.throws(() => encodeMetadata({ ...bare, callId }), RangeError);
  for (const by of ["", "x".repeat(256), "a\0", halfAPair])
    assert.throws(() => encodeMetadata({ ...bare, by }), RangeError);
  for (const headers of [{ "": "a" }, { a: "x".repeat(4096) }, { a: halfAPair }])
    assert.throws(() => encodeMetadata({ ...bare, headers }), RangeError);
});

const text = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(..."abc-:", "é", "😀", "\0"), minLength, maxLength });
const anyMetadata: fc.Arbitrary<Metadata> = fc.record(
  {
    delivery: fc.integer({ min: 1, max: 65_535 }),
    msLeft: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    progress: fc.boolean(),
    callId: fc.option(text(16, 32)),
    by: fc.option(text(1, 60).map((name) => name.replaceAll("\0", "x"))),
    headers: fc.option(
      fc.dictionary(fc.oneof(text(1, 9), fc.constant("__proto__")), text(0, 30), {
        maxKeys: 32,
        noNullPrototype: true,
      }),
    ),
  },
  { noNullPrototype: true },
);

test("any metadata: encoded and decoded, it is the same", () => {
  fc.assert(
    fc.property(anyMetadata, (metadata) => {
      assert.deepEqual(decodeMetadata(encodeMetadata(metadata)), metadata);
    }),
  );
});

test("any bytes, or metadata with a byte changed or cut off: metadata that encodes, or none", () => {
  const changed = fc
    .tuple(anyMetadata, fc.nat(), fc.nat(255), fc.nat(2))
    .map(([metadata, at, byte, cut]) => {
      const frame = encodeMetadata(metadata);
      frame[at % frame.length] = byte;
      return frame.subarray(0, frame.length - cut);
    });
  const bytes = fc.uint8Array({ maxLength: 60 }).map((value) => Buffer.from([1, ...value]));
  let decoded = 0;
  fc.assert(
    fc.property(fc.oneof(changed, bytes), (frame) => {
      const metadata = decodeMetadata(frame);
      if (metadata === null) return;
      decoded += 1;
      assert.deepEqual(decodeMetadata(encodeMetadata(metadata)), metadata);
    }),
    { numRuns: 5000 },
  );
  assert.ok(decoded > 200, `${decoded} decoded`);
});

test("id for a handler: the call id in the scope of its key, else the request id, else none", () => {
  const client = idFrame(Buffer.from("thislife"), 1);
  const requestId = "746869736c6966650000000000000001";
  assert.equal(handlerId({ ...bare, callId: ID, by: null }, client), ID);
  assert.equal(handlerId({ ...bare, callId: ID, by: "alice" }, client), `alice\0${ID}`);
  assert.equal(handlerId({ ...bare, by: "alice" }, client), requestId);
  assert.equal(handlerId(undefined, client), requestId);
  assert.equal(handlerId(undefined, Buffer.from("c1")), null);
});
