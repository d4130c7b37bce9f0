import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceName } from "./exchange.ts";
import { workingServices } from "./fake-client.testing.ts";
import { Workload } from "./workload.ts";

const only = (service: ServiceName) => new Workload(new Map([[service, 1]]));

test("replies of the real services: correct", () => {
  const workload = new Workload(
    new Map([
      ["echo", 1],
      ["math", 1],
      ["db", 1],
    ]),
  );
  const services = workingServices();
  for (let sent = 0; sent < 500; sent++) {
    const { service, body, mismatch, ended } = workload.next();
    assert.equal(mismatch(services(service, body)), null);
    ended(true);
  }
});

test("echo with a frame missing, added or changed: wrong", () => {
  const workload = only("echo");
  for (let sent = 0; sent < 200; sent++) {
    const { body, mismatch } = workload.next();
    const changed = body.map((frame) => Buffer.from(frame));
    const long = changed.find((frame) => frame.length > 0) ?? assert.fail();
    long.writeUInt8(long.readUInt8(0) ^ 1, 0);
    assert.notEqual(mismatch(changed), null);
    assert.notEqual(mismatch(body.slice(1)), null);
    assert.notEqual(mismatch([...body, Buffer.alloc(0)]), null);
    assert.notEqual(mismatch([]), null);
  }
});

test("echo of another request: wrong", () => {
  const workload = only("echo");
  const exchanges = Array.from({ length: 50 }, () => workload.next());
  for (const { mismatch } of exchanges) {
    assert.equal(exchanges.filter(({ body }) => mismatch(body) === null).length, 1);
  }
});

test("echo bodies: one frame or several, some empty, some large", () => {
  const workload = only("echo");
  const bodies = Array.from({ length: 300 }, () => workload.next().body);
  const sizes = bodies.flat().map((frame) => frame.length);
  assert.ok(bodies.some((body) => body.length === 1) && bodies.some((body) => body.length > 2));
  assert.ok(sizes.includes(0) && sizes.includes(8192));
});

test("math reply is another number, or none: wrong", () => {
  const workload = only("math");
  for (let sent = 0; sent < 500; sent++) {
    const { body, mismatch } = workload.next();
    const value = Number(new Function(`return ${body[0]}`)());
    const mismatchWith = (...reply: string[]) => mismatch(reply.map((frame) => Buffer.from(frame)));
    assert.equal(mismatchWith(value.toExponential()), null);
    for (const reply of [[`${value + 1}`], [""], [" "], ["x"], [`${value}`, ""], []]) {
      assert.notEqual(mismatchWith(...reply), null, `${body[0]}: ${reply}`);
    }
  }
});

test("weights 8 and 2: each service gets its share of the requests", () => {
  const workload = new Workload(
    new Map([
      ["echo", 8],
      ["math", 2],
    ]),
  );
  const services = Array.from({ length: 2000 }, () => workload.next().service);
  const echoes = services.filter((service) => service === "echo").length;
  assert.ok(echoes > 1500 && echoes < 1700, `${echoes} of 2000 for a share of 0.8`);
  assert.ok(!services.includes("db"));
});
