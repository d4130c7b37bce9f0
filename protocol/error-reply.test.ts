import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeErrorReply, encodeErrorReply } from "./error-reply.ts";

test("error reply: a sentence, a mark and a code, decoded to the same", () => {
  const frames = encodeErrorReply(400, "no such command: größe");
  assert.deepEqual(frames.map(String), ["no such command: größe", "mmi.error", "400"]);
  assert.deepEqual(decodeErrorReply(frames), { code: 400, sentence: "no such command: größe" });
});

test("code that no error reply can carry: RangeError with the code, and nothing encoded", () => {
  for (const code of [302, 200, 399, 600, 400.5, Number.NaN, Infinity, undefined, null, "400"]) {
    const shown = JSON.stringify(code) ?? "undefined";
    const named = typeof code === "number" ? String(code) : shown;
    assert.throws(() => encodeErrorReply(code as number, "no"), {
      name: "RangeError",
      message: `the code of an error reply is ${named}, not a whole number from 400 to 599`,
    });
  }
  for (const code of [400, 500, 599])
    assert.equal(decodeErrorReply(encodeErrorReply(code, "no"))?.code, code);
});

test("body that differs from an error reply in any frame: a success", () => {
  const near = [
    ["x", "mmi.error"],
    ["x", "mmi.error", "400", ""],
    ["x", "mmi.errors", "400"],
  ];
  for (const body of [...near, ["x", "mmi.error", "4"], ["x", "mmi.error", "200"], ["x"], []]) {
    assert.equal(decodeErrorReply(body.map((frame) => Buffer.from(frame))), null, body.join(" "));
  }
});
