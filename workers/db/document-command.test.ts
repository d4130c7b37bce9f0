import assert from "node:assert/strict";
import { test } from "node:test";
import { ServiceError } from "../worker.ts";
import { BATCH_MAX, KEY_BYTES_MAX, readRequest, VALUE_BYTES_MAX } from "./document-command.ts";

const read = (json: string | Buffer) => readRequest([Buffer.from(json)]).command;

/** The code and the sentence that a body is refused with. */
function refusal(...frames: (string | Buffer)[]): string {
  try {
    return `NOT REFUSED ${JSON.stringify(readRequest(frames.map((frame) => Buffer.from(frame))))}`;
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    return `${error.code} ${error.message}`;
  }
}

test("the commands, and what they leave out", () => {
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

test("a body is one frame of JSON in UTF-8", () => {
  assert.equal(refusal(), "400 one frame of JSON expected, got 0 frames");
  assert.equal(refusal("{}", "{}"), "400 one frame of JSON expected, got 2 frames");
  assert.equal(refusal(""), "400 not JSON: Unexpected end of JSON input");
  assert.match(refusal('{"command":"list",}'), /^400 not JSON: .* at position 18 /);
  assert.match(refusal("{\n\u0007}"), /^400 not JSON: [^\p{C}]+$/u);
  assert.equal(refusal(Buffer.of(0x22, 0xff, 0x22)), "400 not JSON: it is not UTF-8");
  assert.equal(refusal("[]"), "400 the request is not a JSON object");
  assert.equal(refusal("null"), "400 the request is not a JSON object");
});

test("the command is one of six", () => {
  const known = "known are put, get, delete, increment, list, batch";
  assert.equal(refusal("{}"), `400 no command: ${known}`);
  assert.equal(refusal('{"command":"drop"}'), `400 unknown command "drop": ${known}`);
  assert.ok(refusal(`{"command":"${"x".repeat(1e6)}"}`).length < 300);
});

test("each wrong property is named", () => {
  assert.equal(
    refusal('{"command":"list","limit":1001,"from":"a","to":"b"}'),
    '400 limit is not a whole number from 1 to 1000; unknown property "from", "to"',
  );
  assert.equal(refusal('{"command":"put","key":"a"}'), "400 value is not given");
  assert.equal(
    refusal('{"command":"increment","key":"a","by":0.5}'),
    "400 by is not a whole number",
  );
  const many = Array.from({ length: 1000 }, (_, index) => `"p${index}":1`);
  assert.ok(refusal(`{"command":"list",${many}}`).length <= 304);
});

test("a request may bring an id of its own", () => {
  const request = (id: string) => readRequest([Buffer.from(`{"command":"list","id":${id}}`)]);
  assert.deepEqual(request('"a"'), {
    command: { command: "list", prefix: "", limit: 100 },
    id: "a",
  });
  assert.equal(readRequest([Buffer.from('{"command":"list"}')]).id, null);
  const sentence = "400 id is not a text of 1 to 512 bytes without NUL";
  assert.equal(refusal('{"command":"list","id":""}'), sentence);
  assert.equal(refusal('{"command":"list","id":7}'), sentence);
  assert.equal(refusal('{"command":"list","id":null}'), sentence);
});

test("an expected version is a whole number", () => {
  const put = (version: unknown) =>
    JSON.stringify({ command: "put", key: "a", value: 1, expectedVersion: version });
  const sentence = "400 expectedVersion is not a whole number, 0 for a document that is absent";
  for (const version of [-1, 0.5, "1", null]) assert.equal(refusal(put(version)), sentence);
  assert.match(refusal(put(0)), /^NOT REFUSED .*"expectedVersion":0/);
});

test("a batch has 1 to 100 commands, and none that lists", () => {
  const batch = (...commands: unknown[]) => JSON.stringify({ command: "batch", commands });
  const get = { command: "get", key: "a" };
  assert.match(refusal(batch(...Array(BATCH_MAX).fill(get))), /^NOT REFUSED/);
  const sentence = "400 commands is not an array of 1 to 100 commands";
  assert.equal(refusal(batch(...Array(BATCH_MAX + 1).fill(get))), sentence);
  assert.equal(refusal(batch()), sentence);
  assert.equal(refusal('{"command":"batch"}'), sentence);
  assert.equal(
    refusal(batch(get, { command: "list" }, { ...get, x: 1, y: 2 }, { command: "get" }, 7)),
    '400 unknown command "list" in commands.1: known are put, get, delete, increment; ' +
      'unknown property "x", "y" in commands.2; ' +
      "commands.3.key is not a text of 1 to 512 bytes without NUL; " +
      "commands.4 is not a JSON object",
  );
  const large = { command: "put", key: "a", value: "x".repeat(VALUE_BYTES_MAX) };
  assert.equal(refusal(batch(get, large)), "413 value has more than 256 KiB of JSON");
  const batched = { ...get, id: "a" };
  assert.equal(refusal(batch(batched)), '400 unknown property "id" in commands.0');
});

test("a key is a text of 1 to 512 bytes", () => {
  const get = (key: unknown) => JSON.stringify({ command: "get", key });
  const sentence = "400 key is not a text of 1 to 512 bytes without NUL";
  assert.equal(refusal('{"command":"get"}'), sentence);
  assert.equal(refusal(get("")), sentence);
  assert.equal(refusal(get(7)), sentence);
  assert.equal(refusal(get("a\0")), sentence);
  assert.equal(refusal(get("\ud800")), sentence);
  const longest = "é".repeat(KEY_BYTES_MAX / 2);
  assert.equal(refusal(get(`${longest}a`)), sentence);
  assert.deepEqual(read(get(longest)), { command: "get", key: longest });
});

test("a value is at most 256 KiB of JSON", () => {
  const put = (bytes: number) =>
    JSON.stringify({ command: "put", key: "a", value: "x".repeat(bytes - 2) });
  assert.match(refusal(put(VALUE_BYTES_MAX)), /^NOT REFUSED/);
  assert.equal(refusal(put(VALUE_BYTES_MAX + 1)), "413 value has more than 256 KiB of JSON");
});

test("nothing is read that could not be kept as it is", () => {
  const put = (value: string) => `{"command":"put","key":"a","value":${value}}`;
  const inexact = "is beyond 2^53 and would be inexact";
  assert.equal(refusal(put("9007199254740992")), `400 the number at "value" ${inexact}`);
  assert.equal(refusal(put('{"x":-1e999}')), `400 the number at "x" ${inexact}`);
  assert.equal(refusal(put("[".repeat(1e5) + "]".repeat(1e5))), "400 nested too deeply");
  const kept = '{"__proto__":9007199254740991,"\\ud800":"\\u0000","large":1e+300}';
  assert.deepEqual(read(put(kept)), { command: "put", key: "a", value: kept });
});
