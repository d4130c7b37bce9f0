import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectFailures } from "./connect-failures.ts";

test("failure that lasts: reported at once, then once per 10 s", () => {
  const failures = new ConnectFailures();
  const at = [0, 100, 9_999, 10_000, 10_100, 19_999, 20_000];
  assert.deepEqual(
    at.filter((now) => failures.isReported("ECONNREFUSED", now)),
    [0, 10_000, 20_000],
  );
});

test("another code, or a connection in between: reported at once", () => {
  const failures = new ConnectFailures();
  assert.equal(failures.isReported("ENOTFOUND", 0), true);
  assert.equal(failures.isReported("ECONNREFUSED", 1), true);
  assert.equal(failures.isReported("ECONNREFUSED", 2), false);
  failures.connected();
  assert.equal(failures.isReported("ECONNREFUSED", 3), true);
});
