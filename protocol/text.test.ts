import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeDecimal, decodeText, textBytes } from "./text.ts";

test("any bytes: decoded as a strict decoder of UTF-8 does, a byte order mark kept", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.string({ unit: fc.constantFrom("a", "é", "\ufffd", "\ufeff", "😀") }).map(Buffer.from),
  );
  fc.assert(
    fc.property(bytes, (value) => {
      let expected: string | null;
      try {
        expected = strict.decode(value);
      } catch {
        expected = null;
      }
      assert.equal(decodeText(Buffer.from(value)), expected);
    }),
    { examples: [[Buffer.from("\ufffd")], [Buffer.from("\ufeffa")], [Buffer.of(0xff)]] },
  );
});

test("text with half a surrogate pair: it has no bytes", () => {
  assert.equal(textBytes("\ud800"), -1);
  assert.equal(textBytes("é😀"), 6);
});

test("decimal text: digits without a leading zero, up to the bound", () => {
  const decimal = (text: string) => decodeDecimal(Buffer.from(text), 65_535);
  assert.deepEqual(["0", "7", "65535"].map(decimal), [0, 7, 65_535]);
  for (const text of [
    "",
    "00",
    "07",
    "65536",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "0x1",
    " 1",
    "9".repeat(400),
  ])
    assert.equal(decimal(text), -1, text);
});
