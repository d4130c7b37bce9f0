import assert from "node:assert/strict";
import { test } from "node:test";
import { type EndedRequest, RequestLog } from "./request-log.ts";

const echo = (latencyMs: number, more: Partial<EndedRequest> = {}): EndedRequest => ({
  service: "echo",
  outcome: "answered",
  at: 1000,
  latencyMs,
  ...more,
});

test("requests begun and ended: counted by service and outcome", () => {
  const requests = new RequestLog();
  for (const service of ["echo", "echo", "slow", "db"] as const) requests.begin(service);
  const ended = [echo(2), echo(7, { service: "db", outcome: "refused", at: 1500 })];
  for (const one of ended) requests.end(one);
  assert.deepEqual(requests.sent, { slow: 1, echo: 2, math: 0, db: 1 });
  assert.deepEqual([requests.count("answered"), requests.count("answered", "db")], [1, 0]);
  assert.deepEqual([requests.count("refused"), requests.count("refused", "db")], [1, 1]);
  assert.equal(requests.outstanding, 2);
  assert.deepEqual([...requests], ended);
});

test("latency: answered requests only", () => {
  const requests = new RequestLog();
  assert.equal(requests.latency(), null);
  for (let ms = 1; ms <= 100; ms += 1) requests.end(echo(ms));
  requests.end(echo(5000, { outcome: "lost" }));
  requests.end(echo(900, { service: "math" }));
  assert.deepEqual(requests.latency("echo"), { p50: 50, p99: 99, max: 100 });
  assert.deepEqual(requests.latency(), { p50: 51, p99: 100, max: 900 });
  assert.equal(requests.latency("db"), null);
});
