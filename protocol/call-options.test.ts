import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CallOptions, decodeOptions, encodeOptions, faultOfOptions } from "./call-options.ts";

const ID = "0123456789abcdef";
const decodeJson = (text: string) => decodeOptions(Buffer.from(text));

test("options with every name: encoded to JSON, decoded to the same", () => {
  const options: CallOptions = {
    ttl: 1,
    id: ID,
    wait: 0,
    progress: true,
    linger: 86_400_000,
    headers: { trace: "größe", empty: "" },
  };
  assert.equal(
    String(encodeOptions(options)),
    `{"ttl":1,"id":"${ID}","wait":0,"progress":true,"linger":86400000,` +
      '"headers":{"trace":"größe","empty":""}}',
  );
  assert.deepEqual(decodeOptions(encodeOptions(options)), { options });
  assert.equal(encodeOptions({ ttl: undefined }).length, 0);
});

const HEADERS = "headers is not an object of at most 32 strings and 4096 bytes";
const INVALID: [string, string][] = [
  ['{"wait":-1}', "wait is not a whole number of ms from 0 to 86400000"],
  ['{"wait":86400001}', "wait is not a whole number of ms from 0 to 86400000"],
  ['{"linger":0.5}', "linger is not a whole number of ms from 0 to 86400000"],
  ['{"linger":null}', "linger is not a whole number of ms from 0 to 86400000"],
  ['{"progress":false}', "progress is not true"],
  ['{"headers":[]}', HEADERS],
  ['{"headers":null}', HEADERS],
  ['{"headers":{"a":1}}', HEADERS],
  ['{"headers":{"":"a"}}', HEADERS],
  ['{"headers":{"a":"\\ud800"}}', HEADERS],
  [`{"headers":{"${"a".repeat(256)}":""}}`, HEADERS],
  [`{"headers":{"a":"${"b".repeat(4096)}"}}`, HEADERS],
  [
    JSON.stringify({ headers: Object.fromEntries([...Array(33).keys()].map((n) => [n, ""])) }),
    HEADERS,
  ],
  ['{"id":"0123456789abcde\\ud800"}', "id is not a string of 16 to 128 bytes"],
  ['{"__proto__":{"ttl":1}}', "there is no option __proto__"],
  ['{"constructor":1,"b":2}', "there is no option constructor, b"],
  ['{"ttl":0,"x":1,"wait":""}', faults("ttl 1", "wait 0", "there is no option x")],
  [`{"${"x".repeat(500)}":1}`, `there is no option ${"x".repeat(100)}`],
  [`{"headers":{},"ttl":${" ".repeat(32_768)}1}`, "the options have more than 32768 bytes"],
  [`{"ttl":${" ".repeat(1024)}1}`, "the options have more than 1024 bytes"],
];

function faults(...texts: string[]): string {
  return texts
    .map((text) =>
      text.replace(/^(\w+) ([01])$/, "$1 is not a whole number of ms from $2 to 86400000"),
    )
    .join("; ");
}

for (const [text, reason] of INVALID) {
  test(`options ${text.slice(0, 40)}: malformed, ${reason.slice(0, 60)}`, () => {
    assert.equal(sentenceOf(decodeJson(text)), reason);
  });
}

test("headers of exactly 32 names and 4096 bytes: accepted, however long their JSON", () => {
  const names = [...Array(32).keys()].map((n) => String(n).padStart(28));
  const headers = Object.fromEntries(names.map((name) => [name, "\0".repeat(100)]));
  const frame = encodeOptions({ headers });
  assert.ok(frame.length > 20_000);
  assert.deepEqual(decodeOptions(frame), { options: { headers } });
});

test("options that are not UTF-8: malformed", () => {
  const frame = Buffer.from(`{"id":"${ID}\xff"}`, "latin1");
  assert.deepEqual(decodeOptions(frame), { reason: "the options are not UTF-8" });
  const options = { id: `${ID}\ufffd` };
  assert.deepEqual(decodeOptions(encodeOptions(options)), { options });
});

test("byte order mark before the options: malformed", () => {
  assert.deepEqual(decodeJson("\ufeff{}"), { reason: "the options are not a JSON object" });
});

test("any text that resembles the common options: read as a JSON parser reads it", () => {
  const pieces = fc.constantFrom(
    ...['{"ttl":', '{"id":"', ',"id":"', '"}', "}", "{", '"', "\\", "\\n", ",", " ", ":"],
    ...[
      "0",
      "1",
      "5000",
      "86400000",
      "86400001",
      "-",
      ".5",
      "e9",
      ID,
      "\u007f",
      "é",
      "\n",
      '"ttl"',
    ],
  );
  const common = fc.tuple(pieces, pieces, pieces, pieces, pieces).map((all) => all.join(""));
  const spliced = fc
    .tuple(
      fc.constantFrom(`{"ttl":5000,"id":"${ID}"}`, `{"id":"${ID}"}`, '{"ttl":12}'),
      fc.nat(40),
      pieces,
    )
    .map(([text, at, piece]) => text.slice(0, at) + piece + text.slice(at));
  const cut = spliced.chain((text) => fc.nat(text.length).map((end) => text.slice(0, end)));
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(common, spliced, cut), (text) => {
      const decoded = decodeJson(text);
      if ("options" in decoded) accepted += 1;
      assert.deepEqual(sentenceOf(decoded), text === "" ? {} : reference(text));
    }),
    { numRuns: 20_000 },
  );
  assert.ok(accepted > 500, `${accepted} accepted`);
});

function reference(text: string): CallOptions | string {
  let options: unknown;
  try {
    options = JSON.parse(text);
  } catch {}
  return faultOfOptions(options) ?? (options as CallOptions);
}

/** The options, or the reason as the caller gets it. */
function sentenceOf(decoded: ReturnType<typeof decodeOptions>): CallOptions | string {
  return "options" in decoded ? decoded.options : (decoded.detail ?? decoded.reason);
}

test("malformed and unknown options of any names: one reason, and the names in the detail alone", () => {
  const reasons = ['{"ttl":0}', '{"a":1}', '{"b":1,"id":""}', '{"headers":1,"wait":"x"}'].map(
    (text) => {
      const decoded = decodeJson(text);
      assert.ok("reason" in decoded && decoded.detail);
      return decoded.reason;
    },
  );
  assert.equal(new Set(reasons).size, 1);
});

test("any bytes: options or a reason", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (value) => {
      const decoded = decodeOptions(Buffer.from(value));
      return "options" in decoded || decoded.reason.length > 0;
    }),
  );
  fc.assert(
    fc.property(fc.json(), (text) => {
      const decoded = decodeJson(text);
      return "reason" in decoded || faultOfOptions(decoded.options) === null;
    }),
  );
});
