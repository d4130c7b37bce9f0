import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Frame } from "../protocol/frame.ts";
import { owned } from "../protocol/owned.ts";
import { bodyOf, envelopeOf, pack } from "./packed-message.ts";

const CHUNK_BYTES = 65_536;

/** A frame as from a transport: a view of a larger block. */
function viewOf(bytes: Uint8Array): Frame {
  const chunk = Buffer.alloc(Math.max(CHUNK_BYTES, bytes.length), "x");
  chunk.set(bytes, chunk.length - bytes.length);
  return chunk.subarray(chunk.length - bytes.length);
}

const frame = fc
  .oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ minLength: 240, maxLength: 270 }),
    fc.nat(70_000).map((length) => new Uint8Array(length).fill(length)),
  )
  .map(viewOf);
const frames = fc.array(frame, { maxLength: 8 });

/** The memory that these frames keep alive beyond their own bytes, in bytes. */
function keptBesides(kept: Frame[]): number {
  const pieces = new Set(kept.filter(({ length }) => length > 0).map(({ buffer }) => buffer));
  let bytes = 0;
  for (const { byteLength } of pieces) bytes += byteLength;
  for (const { length } of kept) bytes -= length;
  return bytes;
}

test("envelope and body packed: both are the same when unpacked", () => {
  fc.assert(
    fc.property(frames, frames, (envelope, body) => {
      const packed = pack(envelope, body);
      assert.deepEqual(envelopeOf(packed), envelope);
      assert.deepEqual(bodyOf(packed), body);
    }),
  );
});

test("second message packed: the first one is unchanged", () => {
  const first = pack([viewOf(Buffer.from("an envelope"))], [viewOf(Buffer.from("a body"))]);
  pack([], [viewOf(Buffer.alloc(500, "y"))]);
  assert.deepEqual([...envelopeOf(first), ...bodyOf(first)].map(String), ["an envelope", "a body"]);
});

test("small message: packed as one string", () => {
  const packed = pack([Buffer.from("12345678"), Buffer.alloc(0)], [viewOf(Buffer.alloc(64))]);
  assert.ok(typeof packed === "string");
  assert.equal(packed.length, 80);
});

test("frames owned: they keep at most as much memory again as their bytes", () => {
  fc.assert(
    fc.property(frames, (came) => {
      const kept = owned(came);
      assert.deepEqual(kept, came);
      const bytes = kept.reduce((sum, { length }) => sum + length, 0);
      assert.ok(keptBesides(kept) <= bytes, `${keptBesides(kept)} bytes beyond ${bytes}`);
    }),
  );
});

test("large frame with a block of its own: not copied", () => {
  const large = viewOf(Buffer.alloc(80_000));
  assert.equal(owned([large])[0], large);
  assert.notEqual(owned([large.subarray(0, 30_000)])[0]?.buffer, large.buffer);
  assert.deepEqual(bodyOf(pack([], [large]))[0]?.buffer, large.buffer);
});
