import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeCall, decodeStatus, encodeCall, encodeStatus } from "./call.ts";

const bytes = (...values: string[]) => values.map((value) => Buffer.from(value));
const ID = "0123456789abcdef";

test("any call: encoded and decoded, it is the same call", () => {
  const frame = fc.uint8Array({ maxLength: 20 }).map((value) => Buffer.from(value));
  const call = fc.record({
    service: fc.uint8Array({ minLength: 1, maxLength: 255 }).map((value) => Buffer.from(value)),
    options: fc.record(
      {
        ttl: fc.integer({ min: 1, max: 86_400_000 }),
        id: fc.string({ minLength: 16 }),
        wait: fc.integer({ min: 0, max: 86_400_000 }),
        progress: fc.constant(true as const),
        linger: fc.integer({ min: 0, max: 86_400_000 }),
        headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 9 }), fc.string(), {
          maxKeys: 9,
          noNullPrototype: true,
        }),
      },
      { requiredKeys: [] },
    ),
    body: fc.array(frame, { minLength: 1 }),
  });
  fc.assert(
    fc.property(call, (value) => {
      fc.pre(Buffer.byteLength(value.options.id ?? "") <= 128);
      assert.deepEqual(decodeCall(encodeCall(value)), { ...value, options: { ...value.options } });
    }),
  );
});

test("no options: an empty frame", () => {
  const frames = encodeCall({ service: Buffer.from("echo"), options: {}, body: bytes("hi") });
  assert.deepEqual(frames.map(String), ["echo", "", "hi"]);
});

for (const [options, reason] of [
  ["{", "the options are not a JSON object"],
  ["null", "the options are not a JSON object"],
  ["[]", "the options are not a JSON object"],
  ["5000", "the options are not a JSON object"],
  ['{"tttl":5000}', "there is no option tttl"],
  ['{"ttl":0}', "ttl is not a whole number of ms from 1 to 86400000"],
  ['{"ttl":1.5}', "ttl is not a whole number of ms from 1 to 86400000"],
  ['{"ttl":"5000"}', "ttl is not a whole number of ms from 1 to 86400000"],
  ['{"ttl":86400001}', "ttl is not a whole number of ms from 1 to 86400000"],
  ['{"ttl":1e999}', "ttl is not a whole number of ms from 1 to 86400000"],
  ['{"id":"0123456789abcde"}', "id is not a string of 16 to 128 bytes"],
  [`{"id":"${"x".repeat(129)}"}`, "id is not a string of 16 to 128 bytes"],
  ['{"id":1234567890123456}', "id is not a string of 16 to 128 bytes"],
  [`{"id":"${ID}","ttl":-1}`, "ttl is not a whole number of ms from 1 to 86400000"],
  [" ".repeat(1025), "the options have more than 1024 bytes"],
] as const) {
  test(`options ${options.slice(0, 40)}: malformed, ${reason}`, () => {
    const decoded = decodeCall(bytes("echo", options, "hi"));
    assert.equal("reason" in decoded && (decoded.detail ?? decoded.reason), reason);
  });
}

test("call with a frame missing: the reason names the frame", () => {
  assert.deepEqual(decodeCall([]), { reason: "no service name" });
  assert.deepEqual(decodeCall(bytes("")), { reason: "no service name" });
  assert.deepEqual(decodeCall(bytes("x".repeat(256), "", "hi")), {
    reason: "the service name is too long",
  });
  assert.deepEqual(decodeCall(bytes("echo")), { reason: "no options frame; it may be empty" });
  assert.deepEqual(decodeCall(bytes("echo", "")), { reason: "no body" });
});

test("call id of 8 characters and 16 bytes: accepted", () => {
  const call = decodeCall(bytes("echo", '{"id":"éééééééé"}', "hi"));
  assert.ok("options" in call && call.options.id === "éééééééé");
});

test("statuses of three digits, 102 and 200 to 599: encoded and decoded with the frames after them", () => {
  assert.deepEqual(encodeStatus(200, bytes("a", "b")), bytes("200", "a", "b"));
  assert.deepEqual(encodeStatus(404, "nobody"), bytes("404", "nobody"));
  assert.deepEqual(decodeStatus(bytes("429", "full")), { status: 429, body: bytes("full") });
  assert.deepEqual(decodeStatus(bytes("102", "half")), { status: 102, body: bytes("half") });
  for (const wrong of ["", "20", "2000", "600", "abc", "+20", "100", "103", "1022"]) {
    assert.equal(decodeStatus(bytes(wrong)), null);
  }
  assert.equal(decodeStatus([]), null);
});
