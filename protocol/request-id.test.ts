import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { idFrame, requestId, sequenceOf } from "./request-id.ts";

const INCARNATION = Buffer.from("thislife");

test("id: 8 bytes of the incarnation and 8 of a sequence number", () => {
  assert.deepEqual(idFrame(INCARNATION, 258), Buffer.from("thislife\0\0\0\0\0\0\x01\x02"));
  assert.equal(requestId(idFrame(INCARNATION, 258)), "746869736c6966650000000000000102");
  assert.equal(requestId(idFrame(INCARNATION, 2 ** 48 - 1))?.slice(16), "0000ffffffffffff");
});

test("id with any bit of it changed: another sequence number, or no id of this incarnation", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 48 - 1 }), fc.nat(15), (sequence, at) => {
      const id = idFrame(INCARNATION, sequence);
      assert.equal(sequenceOf(INCARNATION, id), sequence);
      id[at] = (id[at] ?? 0) ^ 1;
      assert.notEqual(sequenceOf(INCARNATION, id), sequence);
      if (at < 10) assert.equal(sequenceOf(INCARNATION, id), 0);
    }),
  );
  for (const length of [0, 15, 17]) assert.equal(sequenceOf(INCARNATION, Buffer.alloc(length)), 0);
});

test("address that a client chose: not an id", () => {
  const uuid = Buffer.from(randomUUID().replaceAll("-", ""), "hex");
  const generated = Buffer.of(0, 1, 2, 3, 4); // By libzmq.
  const addresses = [uuid, generated, Buffer.from("sixteen letters!"), Buffer.alloc(0)];
  for (const address of addresses) assert.equal(requestId(address), null);
  for (const length of [15, 17]) assert.equal(requestId(Buffer.alloc(length)), null);
});
