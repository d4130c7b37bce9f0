import { test } from "node:test";
import fc from "fast-check";
import { isSame } from "./frame.ts";

test("frames: the same if and only if all their bytes are the same", () => {
  const frame = fc.uint8Array({ maxLength: 3, max: 2 }).map((bytes) => Buffer.from(bytes));
  fc.assert(fc.property(frame, frame, (one, other) => isSame(one, other) === one.equals(other)));
});
