import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import type { Transport } from "../transport/transport.ts";
import { type Body, Client, type ClientOptions, type RequestOptions } from "./client.ts";
import { framesOf } from "./client-options.ts";

/** Connects to nothing. */
const SILENT: Transport = {
  version: "silent",
  bind: () => Promise.reject(new Error("this transport only connects")),
  connect: () => ({ send() {}, close() {} }),
};
const ENDPOINT = "tcp://127.0.0.1:1";

const MS = "not a number of ms from 1 to 86400000";
const TRIES = "not a whole number from 1, or Infinity";
const BYTES = "not a number of bytes from 1024 to 2147483647";
const TRANSPORT = "not a transport: pass `await loadTransport(name)`";
for (const [name, value, sentence] of [
  ["silenceMs", 0, `silenceMs is 0, ${MS}`],
  ["silenceMs", Number.NaN, `silenceMs is NaN, ${MS}`],
  ["silenceMs", -5, `silenceMs is -5, ${MS}`],
  ["silenceMs", Infinity, `silenceMs is Infinity, ${MS}`],
  ["silenceMs", "2500", `silenceMs is "2500", ${MS}`],
  ["silenceMs", null, `silenceMs is null, ${MS}`],
  ["tries", 0, `tries is 0, ${TRIES}`],
  ["tries", 1.5, `tries is 1.5, ${TRIES}`],
  ["tries", "3", `tries is "3", ${TRIES}`],
  ["messageBytesMax", 100, `messageBytesMax is 100, ${BYTES}`],
  ["messageBytesMax", 2048.5, `messageBytesMax is 2048.5, ${BYTES}`],
  ["messageBytesMax", {}, `messageBytesMax is an object, ${BYTES}`],
  ["onUnreachable", "log", 'onUnreachable is "log", not a function'],
  ["transport", "libzmq", `transport is "libzmq", ${TRANSPORT}`],
  ["transport", Promise.resolve(SILENT), `transport is a promise, ${TRANSPORT}`],
  ["transport", null, `transport is null, ${TRANSPORT}`],
] as const) {
  test(`new Client() where ${sentence.slice(0, sentence.indexOf(","))}: RangeError`, () => {
    const options = { [name]: value } as unknown as ClientOptions;
    const error = { name: "RangeError", message: sentence };
    assert.throws(() => new Client(ENDPOINT, options), error);
  });
}

for (const broker of ["nonsense", "", "tcp://*:5555", "tcp://localhost:70000", 5555, undefined]) {
  const shown = JSON.stringify(broker);
  test(`new Client() with the endpoint ${shown}: RangeError with the value`, () => {
    assert.throws(() => new Client(broker as string), {
      name: "RangeError",
      message: `broker is ${shown}, not an endpoint such as tcp://localhost:5555`,
    });
  });
}

test("new Client() with options at their bounds, or undefined: accepted", () => {
  new Client(ENDPOINT, { silenceMs: 1, tries: 1, messageBytesMax: 1024, transport: SILENT });
  new Client(ENDPOINT, { silenceMs: 86_400_000, tries: Infinity, messageBytesMax: 2 ** 31 - 1 });
  new Client(ENDPOINT, { silenceMs: undefined, tries: undefined, transport: undefined });
});

const TIME = "not a number of ms above 0";
for (const [name, value, sentence] of [
  ["timeoutMs", Number.NaN, `timeoutMs is NaN, ${TIME}`],
  ["timeoutMs", "5000", `timeoutMs is "5000", ${TIME}`],
  ["timeoutMs", -5, `timeoutMs is -5, ${TIME}`],
  ["timeoutMs", 0, `timeoutMs is 0, ${TIME}`],
  ["timeoutMs", null, `timeoutMs is null, ${TIME}`],
  ["signal", 5, "signal is 5, not an AbortSignal"],
  ["id", 5, "id is 5, not a string"],
] as const) {
  test(`request where ${sentence.slice(0, sentence.indexOf(","))}: RangeError, also of a stream`, async () => {
    const client = new Client(ENDPOINT, { transport: SILENT });
    const options = { [name]: value } as unknown as RequestOptions;
    const error = { name: "RangeError", message: sentence };
    await assert.rejects(client.request("echo", "hi", options), error);
    await assert.rejects(client.stream("echo", "hi", options).next(), error);
    client.close();
  });
}

test("request with a service that is not a string: RangeError with the value", async () => {
  const client = new Client(ENDPOINT, { transport: SILENT });
  await assert.rejects(client.request(undefined as unknown as string, "hi"), {
    name: "RangeError",
    message: "service is undefined, not a string",
  });
});

const FRAME = "not a string or a Uint8Array";
for (const [title, body, sentence] of [
  ["an object", { a: 1 }, `body is an object, ${FRAME}: pass \`JSON.stringify(value)\``],
  ["a number", 7, `body is 7, ${FRAME}: pass \`String(value)\``],
  ["undefined", undefined, `body is undefined, ${FRAME}`],
  [
    "an ArrayBuffer",
    new ArrayBuffer(2),
    `body is an object, ${FRAME}: pass \`new Uint8Array(value)\``,
  ],
  [
    "an array with an object",
    ["a", {}],
    `body[1] is an object, ${FRAME}: pass \`JSON.stringify(value)\``,
  ],
  ["an array with a hole", new Array(1), `body[0] is undefined, ${FRAME}`],
] as const) {
  test(`request with a body that is ${title}: RangeError with the next step`, async () => {
    const client = new Client(ENDPOINT, { transport: SILENT });
    const request = client.request("echo", body as unknown as Body);
    await assert.rejects(request, { name: "RangeError", message: sentence });
  });
}

test("body of strings and bytes, also of another realm: one frame each", () => {
  const other = runInNewContext("new Uint8Array([98])");
  assert.deepEqual(framesOf("a").map(String), ["a"]);
  assert.deepEqual(framesOf(["a", other, Buffer.from("c")]).map(String), ["a", "b", "c"]);
  assert.deepEqual(framesOf(other).map(String), ["b"]);
});

test("body changed after framesOf: the frames stay as they were", () => {
  const words = Buffer.from("before it");
  const numbers = new Uint16Array([0x6161, 0x6262]);
  const body = [words, numbers as unknown as Uint8Array];
  const frames = framesOf(body);
  words.fill("x");
  numbers.fill(0);
  body.pop();
  assert.deepEqual(frames.map(String), ["before it", "aabb"]);
});

test("client closed twice, with requests and streams outstanding: nothing rejects unhandled", async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", listener);
  new Client(ENDPOINT, { transport: SILENT }).close();
  const client = new Client(ENDPOINT, { transport: SILENT });
  const request = assert.rejects(client.request("echo", "hi"), { name: "Closed" });
  const stream = client.stream("echo", "hi");
  const part = assert.rejects(stream.next(), { name: "Closed" });
  const aborted = new AbortController();
  const left = client.stream("echo", "hi", { signal: aborted.signal });
  const first = assert.rejects(left.next(), { name: "Closed" });
  client.close();
  client.close();
  aborted.abort();
  await Promise.all([request, part, first]);
  await setImmediate();
  process.off("unhandledRejection", listener);
  assert.deepEqual(unhandled, []);
});
