import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UnsentBytes } from "./unsent-bytes.ts";

test("any pieces, taken in slices of any size: the same bytes in the same order", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.nat({ max: 100_000 }).map((length) => new Uint8Array(length).fill(length % 256)),
  );
  const step = fc.oneof(fc.array(piece, { maxLength: 4 }), fc.integer({ min: 1, max: 200_000 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const unsent = new UnsentBytes();
      const given: Buffer[] = [];
      const taken: Buffer[] = [];
      for (const each of steps) {
        if (typeof each === "number") {
          const slice = unsent.take(each);
          assert.ok(Buffer.concat(slice).length <= each);
          taken.push(...slice);
        } else {
          const pieces = each.map((bytes) => Buffer.from(bytes));
          unsent.push(pieces);
          given.push(...pieces);
        }
        assert.equal(unsent.isEmpty, Buffer.concat(given).length === Buffer.concat(taken).length);
      }
      taken.push(...unsent.take(Infinity));
      assert.deepEqual(Buffer.concat(taken), Buffer.concat(given));
      assert.ok(unsent.isEmpty);
      assert.ok(unsent.heldBytes <= 2 ** 16 + 256, `${unsent.heldBytes} bytes are held`);
    }),
    { numRuns: 500 },
  );
});

test("small pieces: they take little more memory than their bytes", () => {
  const unsent = new UnsentBytes();
  for (let nth = 0; nth < 100_000; nth += 1) unsent.push([Buffer.from("ten bytes.")]);
  assert.ok(unsent.heldBytes >= 1_000_000);
  assert.ok(unsent.heldBytes <= 1_100_000, `${unsent.heldBytes} bytes are held`);
});

test("piece of a larger block: copied, so that the block is free", () => {
  const unsent = new UnsentBytes();
  const block = Buffer.alloc(2 ** 20, "x");
  unsent.push([block.subarray(0, 100_000)]);
  for (const piece of unsent.take(Infinity)) assert.notEqual(piece.buffer, block.buffer);
  unsent.push([block]);
  assert.equal(unsent.take(Infinity)[0]?.buffer, block.buffer);
});
