import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { idFrame, requestId } from "./request-id.ts";

const LIFE = Buffer.from("thislife");

test("an id is 8 bytes of the broker's life and 8 of a counter", () => {
  assert.deepEqual(idFrame(LIFE, 258), Buffer.from("thislife\0\0\0\0\0\0\x01\x02"));
  assert.equal(requestId(idFrame(LIFE, 258)), "746869736c6966650000000000000102");
  assert.equal(requestId(idFrame(LIFE, 2 ** 48 - 1))?.slice(16), "0000ffffffffffff");
});

test("an address that a client chose is not taken for an id", () => {
  const uuid = Buffer.from(randomUUID().replaceAll("-", ""), "hex");
  const generated = Buffer.of(0, 1, 2, 3, 4); // By libzmq.
  const addresses = [uuid, generated, Buffer.from("sixteen letters!"), Buffer.alloc(0)];
  for (const address of addresses) assert.equal(requestId(address), null);
  for (const length of [15, 17]) assert.equal(requestId(Buffer.alloc(length)), null);
});
