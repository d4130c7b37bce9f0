import assert from "node:assert/strict";
import { test } from "node:test";
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
    "400 by is not a whole number",
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

test("JSON that the database could not store exactly: 400", () => {
  const put = (value: string) => `{"command":"put","key":"a","value":${value}}`;
  const inexact = "is beyond 2^53 and would be inexact";
  assert.equal(rejection(put("9007199254740992")), `400 the number at "value" ${inexact}`);
  assert.equal(rejection(put('{"x":-1e999}')), `400 the number at "x" ${inexact}`);
  assert.equal(rejection(put("[".repeat(1e5) + "]".repeat(1e5))), "400 nested too deeply");
  const kept = '{"__proto__":9007199254740991,"\\ud800":"\\u0000","large":1e+300}';
  assert.deepEqual(read(put(kept)), { command: "put", key: "a", value: kept });
});
