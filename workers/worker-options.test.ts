import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker, type WorkerOptions } from "./worker.ts";

const mistakes: [options: object, message: RegExp][] = [
  [{ broker: "nonsense" }, /^broker is "nonsense", not an endpoint/],
  [{ broker: 5555 }, /^broker is 5555, not an endpoint/],
  [{ broker: "tcp://*:5555" }, /^broker is "tcp:\/\/\*:5555"/],
  [{ name: "" }, /^name is "", not text of 1 to 250 bytes/],
  [{ name: "é".repeat(126) }, /^name is .*1 to 250 bytes/],
  [{ heartbeat: { intervalMs: 5 } }, /^heartbeat\.intervalMs is 5, not a number of ms from 10/],
  [{ heartbeat: { intervalMs: "2500" } }, /^heartbeat\.intervalMs is "2500"/],
  [{ heartbeat: { liveness: 1 } }, /^heartbeat\.liveness is 1, not a number of intervals from 2/],
  [{ messageBytesMax: 1000 }, /^messageBytesMax is 1000, not a number of bytes from 1024/],
  [{ plainReady: "yes" }, /^plainReady is "yes", not true or false/],
  [{ transport: "libzmq" }, /^transport is "libzmq", not a transport/],
  [{ health: { port: 0 } }, /^health\.port is 0, not a port from 1 to 65535/],
  [{ health: {} }, /^health\.port is undefined, not a port/],
  [{ health: { port: 80, host: "" } }, /^health\.host is "", not a name or an address/],
  [{ logger: {} }, /^logger is an object, not a logger/],
  [{ metrics: {} }, /^metrics is an object, not a Registry/],
];

for (const [options, message] of mistakes) {
  test(`worker with ${JSON.stringify(options)}: a RangeError with option and value`, () => {
    assert.throws(() => new Worker(options as WorkerOptions), { name: "RangeError", message });
  });
}

const echo = (body: Buffer[]) => body;
const services: [parameters: [unknown, unknown?, unknown?], message: RegExp][] = [
  [[1, echo], /^service is 1, not a string/],
  [["", echo], /1 to 255/],
  [["x".repeat(256), echo], /1 to 255/],
  [["mmi.mine", echo], /reserved for the broker/],
  [["x"], /^handler is undefined, not a function/],
  [["x", "echo"], /^handler is "echo", not a function/],
  [["x", echo, { concurrency: 0 }], /^concurrency is 0, not a whole number from 1 to 65535/],
  [["x", echo, { concurrency: 1.5 }], /^concurrency is 1.5/],
  [["x", echo, { timeLimitMs: NaN }], /^timeLimitMs is NaN, not a number of ms from 1/],
  [["x", echo, { timeLimitMs: "5" }], /^timeLimitMs is "5"/],
];

for (const [parameters, message] of services) {
  test(`serve(${JSON.stringify(parameters).slice(1, 60)}: a RangeError, and nothing is served`, () => {
    const worker = new Worker();
    const serve = worker.serve.bind(worker) as (...parameters: unknown[]) => void;
    assert.throws(() => serve(...parameters), { name: "RangeError", message });
  });
}

test("second handler for a service: a RangeError", async () => {
  await using worker = new Worker({ broker: "tcp://127.0.0.1:1" });
  worker.serve("echo", echo);
  assert.throws(() => worker.serve("echo", echo), {
    name: "RangeError",
    message: '"echo" has a handler already',
  });
});
