import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeErrorReply, encodeErrorReply } from "./error-reply.ts";

test("error reply: a sentence, a mark and a code, decoded to the same", () => {
  const frames = encodeErrorReply(400, "no such command: größe");
  assert.deepEqual(frames.map(String), ["no such command: größe", "mmi.error", "400"]);
  assert.deepEqual(decodeErrorReply(frames), { code: 400, sentence: "no such command: größe" });
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
