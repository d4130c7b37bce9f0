import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Frame } from "../protocol/frame.ts";
import { bodyOf, envelopeOf, owned, pack } from "./packed-message.ts";

const CHUNK_BYTES = 65_536;

/** A frame as it comes: a view of something larger. */
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

/** What these frames keep besides their bytes, in bytes. */
function keptBesides(kept: Frame[]): number {
  const pieces = new Set(kept.filter(({ length }) => length > 0).map(({ buffer }) => buffer));
  let bytes = 0;
  for (const { byteLength } of pieces) bytes += byteLength;
  for (const { length } of kept) bytes -= length;
  return bytes;
}

test("an envelope and a body come out of a parcel as they went in", () => {
  fc.assert(
    fc.property(frames, frames, (envelope, body) => {
      const parcel = pack(envelope, body);
      assert.deepEqual(envelopeOf(parcel), envelope);
      assert.deepEqual(bodyOf(parcel), body);
    }),
  );
});

test("a parcel is not changed by those that are packed after it", () => {
  const first = pack([viewOf(Buffer.from("an envelope"))], [viewOf(Buffer.from("a body"))]);
  pack([], [viewOf(Buffer.alloc(500, "y"))]);
  assert.deepEqual([...envelopeOf(first), ...bodyOf(first)].map(String), ["an envelope", "a body"]);
});

test("what is small is one string", () => {
  const parcel = pack([Buffer.from("12345678"), Buffer.alloc(0)], [viewOf(Buffer.alloc(64))]);
  assert.ok(typeof parcel === "string");
  assert.equal(parcel.length, 80);
});

test("what is kept does not keep the memory that it came in", () => {
  fc.assert(
    fc.property(frames, (came) => {
      const kept = owned(came);
      assert.deepEqual(kept, came);
      const bytes = kept.reduce((sum, { length }) => sum + length, 0);
      assert.ok(keptBesides(kept) <= bytes, `${keptBesides(kept)} bytes besides ${bytes}`);
    }),
  );
});

test("a large frame that has its memory for itself is not copied", () => {
  const large = viewOf(Buffer.alloc(40_000));
  assert.equal(owned([large])[0], large);
  assert.notEqual(owned([large.subarray(0, 30_000)])[0]?.buffer, large.buffer);
  assert.deepEqual(bodyOf(pack([], [large]))[0]?.buffer, large.buffer);
});
