import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ServiceError } from "../worker.ts";
import { BATCH_MAX, KEY_BYTES_MAX, readRequest, VALUE_BYTES_MAX } from "./document-command.ts";

const read = (json: string | Buffer) => readRequest([Buffer.from(json)]).command;

/** The code and sentence of the error reply to a body. */
function rejection(...frames: (string | Buffer)[]): string {
  try {
    return `ACCEPTED ${JSON.stringify(readRequest(frames.map((frame) => Buffer.from(frame))))}`;
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    return `${error.code} ${error.message}`;
  }
}

test("valid commands: read, with defaults", () => {
  assert.deepEqual(read('{"command":"put","key":"a","value":{"b":[1,null]}}'), {
    command: "put",
    key: "a",
    value: '{"b":[1,null]}',
  });
  assert.deepEqual(read('{"command":"get","key":"a"}'), { command: "get", key: "a" });
  assert.deepEqual(read('{"command":"delete","key":"a"}'), { command: "delete", key: "a" });
  assert.deepEqual(read('{"command":"increment","key":"a"}'), {
    command: "increment",
    key: "a",
    by: 1,
  });
  assert.deepEqual(read('{"command":"list"}'), { command: "list", prefix: "", limit: 100 });
  const commands = '[{"command":"delete","key":"a"},{"command":"increment","key":"a"}]';
  assert.deepEqual(read(`{"command":"batch","commands":${commands}}`), {
    command: "batch",
    commands: [
      { command: "delete", key: "a" },
      { command: "increment", key: "a", by: 1 },
    ],
  });
});

test("body that is not one frame of JSON in UTF-8: 400", () => {
  assert.equal(rejection(), "400 one frame of JSON expected, got 0 frames");
  assert.equal(rejection("{}", "{}"), "400 one frame of JSON expected, got 2 frames");
  assert.equal(rejection(""), "400 not JSON: Unexpected end of JSON input");
  assert.match(rejection('{"command":"list",}'), /^400 not JSON: .* at position 18 /);
  assert.match(rejection("{\n\u0007}"), /^400 not JSON: [^\p{C}]+$/u);
  assert.equal(rejection(Buffer.of(0x22, 0xff, 0x22)), "400 not JSON: it is not UTF-8");
  assert.equal(rejection("[]"), "400 the request is not a JSON object");
  assert.equal(rejection("null"), "400 the request is not a JSON object");
});

test("unknown command: 400 with the list of commands", () => {
  const known = "the commands are put, get, delete, increment, list, batch";
  assert.equal(rejection("{}"), `400 no command; ${known}`);
  assert.equal(rejection('{"command":"drop"}'), `400 unknown command "drop"; ${known}`);
  assert.ok(rejection(`{"command":"${"x".repeat(1e6)}"}`).length < 300);
});

test("several bad properties: 400 that names each", () => {
  assert.equal(
    rejection('{"command":"list","limit":1001,"from":"a","to":"b"}'),
    '400 limit is not a whole number from 1 to 1000; unknown property "from", "to"',
  );
  assert.equal(rejection('{"command":"put","key":"a"}'), "400 value is not given");
  assert.equal(
    rejection('{"command":"increment","key":"a","by":0.5}'),
    "400 by is not a whole number from -(2^53 - 1) to 2^53 - 1",
  );
  const many = Array.from({ length: 1000 }, (_, index) => `"p${index}":1`);
  assert.ok(rejection(`{"command":"list",${many}}`).length <= 304);
});

test("id in the request: read; bad id: 400", () => {
  const request = (id: string) => readRequest([Buffer.from(`{"command":"list","id":${id}}`)]);
  assert.deepEqual(request('"a"'), {
    command: { command: "list", prefix: "", limit: 100 },
    id: "a",
  });
  assert.equal(readRequest([Buffer.from('{"command":"list"}')]).id, null);
  const sentence = "400 id is not a text of 1 to 512 bytes without NUL";
  assert.equal(rejection('{"command":"list","id":""}'), sentence);
  assert.equal(rejection('{"command":"list","id":7}'), sentence);
  assert.equal(rejection('{"command":"list","id":null}'), sentence);
});

test("expectedVersion that is no whole number: 400", () => {
  const put = (version: unknown) =>
    JSON.stringify({ command: "put", key: "a", value: 1, expectedVersion: version });
  const sentence = "400 expectedVersion is not a whole number, 0 for a document that is absent";
  for (const version of [-1, 0.5, "1", null]) assert.equal(rejection(put(version)), sentence);
  assert.match(rejection(put(0)), /^ACCEPTED .*"expectedVersion":0/);
});

test("batch of 0 or 101 commands, or with a list: 400", () => {
  const batch = (...commands: unknown[]) => JSON.stringify({ command: "batch", commands });
  const get = { command: "get", key: "a" };
  assert.match(rejection(batch(...Array(BATCH_MAX).fill(get))), /^ACCEPTED/);
  const sentence = "400 commands is not an array of 1 to 100 commands";
  assert.equal(rejection(batch(...Array(BATCH_MAX + 1).fill(get))), sentence);
  assert.equal(rejection(batch()), sentence);
  assert.equal(rejection('{"command":"batch"}'), sentence);
  assert.equal(
    rejection(batch(get, { command: "list" }, { ...get, x: 1, y: 2 }, { command: "get" }, 7)),
    '400 unknown command "list" in commands.1; the commands are put, get, delete, increment; ' +
      'unknown property "x", "y" in commands.2; ' +
      "commands.3.key is not a text of 1 to 512 bytes without NUL; " +
      "commands.4 is not a JSON object",
  );
  const large = { command: "put", key: "a", value: "x".repeat(VALUE_BYTES_MAX) };
  assert.equal(rejection(batch(get, large)), "413 value has more than 256 KiB of JSON");
  const batched = { ...get, id: "a" };
  assert.equal(rejection(batch(batched)), '400 unknown property "id" in commands.0');
});

test("key that is not a text of 1 to 512 bytes: 400", () => {
  const get = (key: unknown) => JSON.stringify({ command: "get", key });
  const sentence = "400 key is not a text of 1 to 512 bytes without NUL";
  assert.equal(rejection('{"command":"get"}'), sentence);
  assert.equal(rejection(get("")), sentence);
  assert.equal(rejection(get(7)), sentence);
  assert.equal(rejection(get("a\0")), sentence);
  assert.equal(rejection(get("\ud800")), sentence);
  const longest = "é".repeat(KEY_BYTES_MAX / 2);
  assert.equal(rejection(get(`${longest}a`)), sentence);
  assert.deepEqual(read(get(longest)), { command: "get", key: longest });
});

test("value of more than 256 KiB of JSON: 413", () => {
  const put = (bytes: number) =>
    JSON.stringify({ command: "put", key: "a", value: "x".repeat(bytes - 2) });
  assert.match(rejection(put(VALUE_BYTES_MAX)), /^ACCEPTED/);
  assert.equal(rejection(put(VALUE_BYTES_MAX + 1)), "413 value has more than 256 KiB of JSON");
});

const put = (value: string) => `{"command":"put","key":"a","value":${value}}`;

/** Numbers that are kept, as JSON texts, and their texts in the database. */
const KEPT: [string, string][] = [
  ["9007199254740991", "9007199254740991"],
  ["9007199254740992", "9007199254740992"],
  ["-9007199254740994.00", "-9007199254740994"],
  ["1e20", "100000000000000000000"],
  ["100000000000000000000", "100000000000000000000"],
  ["1E+21", "1e+21"],
  ["0.1e+4", "1000"],
  ["1.50", "1.5"],
  ["0.1", "0.1"],
  ["5e-324", "5e-324"],
  ["1.7976931348623157e308", "1.7976931348623157e+308"],
  ["0e999", "0"],
  ["-0.0", "0"],
];

for (const [source, stored] of KEPT) {
  test(`number ${source}: stored as ${stored}, and accepted again`, () => {
    for (const text of [source, stored]) {
      const command = { command: "put", key: "a", value: stored };
      assert.deepEqual(read(put(text)), command);
      assert.deepEqual(read(put(`{"x":[${text}]}`)), { ...command, value: `{"x":[${stored}]}` });
    }
  });
}

for (const source of [
  "9007199254740993",
  "9007199254740993.0",
  "90071992547409930e-1",
  "100000000000000000001",
  "0.1000000000000000055511151231257827",
  "123456.789012345678e-3",
  "1e-400",
  "-1e999",
  "1.7976931348623159e308",
]) {
  test(`number ${source}: 400, because it would become another number`, () => {
    const sentence = "cannot be kept exactly";
    assert.equal(rejection(put(source)), `400 the number at "value" ${sentence}`);
    assert.equal(rejection(put(`{"x":${source}}`)), `400 the number at "x" ${sentence}`);
    assert.equal(rejection(put(`[${source}]`)), `400 the number at "0" ${sentence}`);
  });
}

test("each number that JavaScript writes: kept", () => {
  fc.assert(
    fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (number) => {
      const json = JSON.stringify(number);
      assert.deepEqual(read(put(json)), { command: "put", key: "a", value: json });
    }),
  );
});

test("object with a property twice: 400", () => {
  const sentence = "400 an object has a property twice";
  assert.equal(rejection('{"command":"get","key":"a","key":"b"}'), sentence);
  assert.equal(rejection(put('{"a":1,"\\u0061":2}')), sentence);
  assert.equal(rejection(put('[{"a":{"b":1},"a":{"b":1}}]')), sentence);
  const once = '{"":{"a":"x:y\\":"},"a":[{"a":1},{"a":":"}]}';
  assert.deepEqual(read(put(once)), { command: "put", key: "a", value: once });
});

test("value that is nested too deeply: 400; names and texts of any characters: kept", () => {
  assert.equal(rejection(put("[".repeat(1e5) + "]".repeat(1e5))), "400 nested too deeply");
  const kept = '{"__proto__":9007199254740991,"\\ud800":"\\u0000","large":1e+300}';
  assert.deepEqual(read(put(kept)), { command: "put", key: "a", value: kept });
});
