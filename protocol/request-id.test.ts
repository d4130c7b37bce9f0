import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { idFrame, requestId, sequenceOf } from "./request-id.ts";

const LIFE = Buffer.from("thislife");

test("an id is 8 bytes of the broker's life and 8 of a counter", () => {
  assert.deepEqual(idFrame(LIFE, 258), Buffer.from("thislife\0\0\0\0\0\0\x01\x02"));
  assert.equal(requestId(idFrame(LIFE, 258)), "746869736c6966650000000000000102");
  assert.equal(requestId(idFrame(LIFE, 2 ** 48 - 1))?.slice(16), "0000ffffffffffff");
});

test("an id tells which request of this life it is of, and of no other life", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 48 - 1 }), fc.nat(15), (nth, at) => {
      const id = idFrame(LIFE, nth);
      assert.equal(sequenceOf(LIFE, id), nth);
      id[at] = (id[at] ?? 0) ^ 1;
      assert.notEqual(sequenceOf(LIFE, id), nth);
      if (at < 10) assert.equal(sequenceOf(LIFE, id), 0);
    }),
  );
  for (const length of [0, 15, 17]) assert.equal(sequenceOf(LIFE, Buffer.alloc(length)), 0);
});

test("an address that a client chose is not taken for an id", () => {
  const uuid = Buffer.from(randomUUID().replaceAll("-", ""), "hex");
  const generated = Buffer.of(0, 1, 2, 3, 4); // By libzmq.
  const addresses = [uuid, generated, Buffer.from("sixteen letters!"), Buffer.alloc(0)];
  for (const address of addresses) assert.equal(requestId(address), null);
  for (const length of [15, 17]) assert.equal(requestId(Buffer.alloc(length)), null);
});
