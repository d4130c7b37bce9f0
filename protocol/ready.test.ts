import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type About, decodeCredit, encodeCredit, FEATURES } from "./ready.ts";

const frames = (...values: string[]) => values.map((value) => Buffer.from(value));
const about = (name: string | null, ...knows: (typeof FEATURES)[number][]): About => ({
  name,
  knows: new Set(knows),
});

test("worker that knows more: its name and its features after the credit", () => {
  const wire = frames("16", "name=host-1:4711", "knows=meta,cancel");
  const decoded = { credit: 16, about: about("host-1:4711", "meta", "cancel") };
  assert.deepEqual(encodeCredit(decoded.credit, decoded.about), wire);
  assert.deepEqual(decodeCredit(wire, true), decoded);
});

test("worker without a name and features: one frame tells it from a worker of 0.1.0", () => {
  assert.deepEqual(encodeCredit(1, about(null)), frames("1", "knows="));
  assert.deepEqual(decodeCredit(frames("1", "knows="), true), { credit: 1, about: about(null) });
  assert.deepEqual(decodeCredit(frames("1"), true), { credit: 1 });
  assert.deepEqual(encodeCredit(null, about("x")), []);
  assert.deepEqual(decodeCredit([], true), { credit: null });
});

test("unknown keys, unknown words and a repeated key: ignored, the last value counts", () => {
  const wire = frames(
    "1",
    "colour=red",
    "=",
    "name=a",
    "knows=pause,,tea,meta",
    "name=b=c",
    "names=x",
  );
  assert.deepEqual(decodeCredit(wire, true), { credit: 1, about: about("b=c", "meta", "pause") });
  assert.deepEqual(decodeCredit(frames("1", "name="), true), { credit: 1, about: about(null) });
});

test("frames after the credit, from a peer that may not extend: invalid", () => {
  assert.deepEqual(decodeCredit(frames("1", "knows="), false), {
    reason: "frames after the credit",
  });
});

test("longest name and most frames: accepted, one more is invalid", () => {
  const name = "é".repeat(125);
  assert.deepEqual(decodeCredit(encodeCredit(1, about(name)), true), {
    credit: 1,
    about: about(name),
  });
  assert.throws(() => encodeCredit(1, about(`${name}x`)), RangeError);
  for (const [wire, reason] of [
    [["1", `name=${name}x`], "a frame of more than 255 bytes"],
    [["1", ...Array(17).fill("a=b")], "more than 16 frames after the credit"],
    [["1", "a=b", "ab"], "a frame after the credit that is not key=value"],
    [["1", ""], "a frame after the credit that is not key=value"],
    [["0", "a=b"], "the credit is not a number from 1 to 65535"],
    [["a=b"], "the credit is not a number from 1 to 65535"],
  ] as const) {
    assert.deepEqual(decodeCredit(frames(...wire), true), { reason });
  }
  const notUtf8 = [...frames("1"), Buffer.from("name=\xff", "latin1")];
  assert.ok("reason" in decodeCredit(notUtf8, true));
  assert.ok("about" in decodeCredit(frames("1", ...Array(16).fill("a=b")), true));
});

test("any worker: encoded and decoded, it is the same worker", () => {
  const any = fc.record({
    credit: fc.integer({ min: 1, max: 65_535 }),
    name: fc.oneof(fc.constant(null), fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" })),
    knows: fc.subarray([...FEATURES]),
  });
  fc.assert(
    fc.property(any, ({ credit, name, knows }) => {
      fc.pre(Buffer.byteLength(name ?? "") <= 250);
      const decoded = decodeCredit(encodeCredit(credit, about(name, ...knows)), true);
      assert.deepEqual(decoded, { credit, about: about(name, ...knows) });
    }),
  );
});

test("any frames: a worker that encodes and decodes to the same, or a reason", () => {
  const piece = fc.oneof(
    fc.constantFrom("1", "name=a", "knows=meta", "knows=cancel,x", "=", "a=", ""),
    fc.string({ maxLength: 9 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 18 }), fc.boolean(), (pieces, extended) => {
      const decoded = decodeCredit(frames(...pieces), extended);
      if ("reason" in decoded) return decoded.reason.length > 0;
      const again = encodeCredit(decoded.credit, decoded.about);
      assert.deepEqual(decodeCredit(again, extended), decoded);
    }),
    { numRuns: 2000 },
  );
});
