import assert from "node:assert/strict";
import { test } from "node:test";
import { isCallId, scopedCallId } from "./call-id.ts";

test("16 to 128 bytes of UTF-8: a call id", () => {
  for (const id of ["x".repeat(16), "x".repeat(128), "é".repeat(64), "\0".repeat(16)])
    assert.ok(isCallId(id));
  const halfAPair = `${"x".repeat(16)}\ud800`;
  for (const id of ["x".repeat(15), "x".repeat(129), "é".repeat(65), halfAPair, null, 16])
    assert.ok(!isCallId(id));
});

test("one call id of two keys: two names", () => {
  const id = "0123456789abcdef";
  assert.equal(scopedCallId(null, id), id);
  assert.equal(scopedCallId("alice", id), `alice\0${id}`);
  assert.notEqual(scopedCallId("alice", id), scopedCallId("bob", id));
});
