import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenOff, Refused, RequestError, rejectionOf } from "./errors.ts";

for (const [status, name] of [
  [400, "Refused"],
  [403, "NotAllowed"],
  [404, "NoWorker"],
  [408, "Expired"],
  [409, "TooManyCallers"],
  [410, "Cancelled"],
  [418, "Refused"],
  [429, "QueueFull"],
  [502, "Quarantined"],
  [503, "ShuttingDown"],
] as const) {
  test(`status ${status}: ${name} with the broker's sentence`, () => {
    const error = rejectionOf("echo", status, "no");
    assert.ok(error instanceof Refused && error instanceof RequestError);
    assert.deepEqual(
      [error.name, error.status, error.service, error.message],
      [name, status, "echo", "no"],
    );
  });
}

test("status 504: BrokenOff with the broker's sentence", () => {
  const error = rejectionOf("echo", 504, "no");
  assert.ok(error instanceof BrokenOff);
  assert.deepEqual([error.service, error.message], ["echo", "no"]);
});
