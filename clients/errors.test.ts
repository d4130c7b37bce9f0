import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokenOff,
  Closed,
  NoBroker,
  Refused,
  RequestError,
  rejectionOf,
  ServiceFailed,
  TimedOut,
} from "./errors.ts";

for (const [status, name, code] of [
  [400, "Refused", "MDP_REFUSED"],
  [403, "NotAllowed", "MDP_NOT_ALLOWED"],
  [404, "NoWorker", "MDP_NO_WORKER"],
  [408, "Expired", "MDP_EXPIRED"],
  [409, "TooManyCallers", "MDP_TOO_MANY_CALLERS"],
  [410, "Cancelled", "MDP_CANCELLED"],
  [418, "Refused", "MDP_REFUSED"],
  [429, "QueueFull", "MDP_QUEUE_FULL"],
  [502, "Quarantined", "MDP_QUARANTINED"],
  [503, "ShuttingDown", "MDP_SHUTTING_DOWN"],
] as const) {
  test(`status ${status}: ${name} with the broker's sentence`, () => {
    const error = rejectionOf("echo", status, "no", "a call id");
    assert.ok(error instanceof Refused && error instanceof RequestError);
    assert.deepEqual(
      [error.name, error.code, error.status, error.service, error.callId, error.message],
      [name, code, status, "echo", "a call id", "no"],
    );
  });
}

test("status 504: BrokenOff with the broker's sentence", () => {
  const error = rejectionOf("echo", 504, "no", "a call id");
  assert.ok(error instanceof BrokenOff);
  const { code, status, service, callId, message } = error;
  assert.deepEqual(
    [code, status, service, callId, message],
    ["MDP_BROKEN_OFF", 504, "echo", "a call id", "no"],
  );
});

test("errors without details: no status, no call id, one code per class", () => {
  for (const [Kind, code] of [
    [RequestError, "MDP_REQUEST_FAILED"],
    [TimedOut, "MDP_TIMED_OUT"],
    [NoBroker, "MDP_NO_BROKER"],
    [BrokenOff, "MDP_BROKEN_OFF"],
    [Closed, "MDP_CLOSED"],
  ] as const) {
    const error = new Kind("echo", "no");
    assert.deepEqual([error.code, error.status, error.callId], [code, null, null]);
  }
});

test("ServiceFailed: its status is the code of the error reply", () => {
  const { code, status, callId } = new ServiceFailed("echo", 409, "no", "a call id");
  assert.deepEqual([code, status, callId], ["MDP_SERVICE_FAILED", 409, "a call id"]);
});
