import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceName } from "./exchange.ts";
import { workingServices } from "./fake-client.testing.ts";
import { Workload } from "./workload.ts";

const only = (service: ServiceName) => new Workload(new Map([[service, 1]]));

test("what the services reply is right", () => {
  const workload = new Workload(
    new Map([
      ["echo", 1],
      ["math", 1],
      ["db", 1],
    ]),
  );
  const services = workingServices();
  for (let asked = 0; asked < 500; asked++) {
    const { service, body, wrong, over } = workload.next();
    assert.equal(wrong(services(service, body)), null);
    over(true);
  }
});

test("an echo is wrong if a frame is missing, added, moved or has a byte changed", () => {
  const workload = only("echo");
  for (let asked = 0; asked < 200; asked++) {
    const { body, wrong } = workload.next();
    const changed = body.map((frame) => Buffer.from(frame));
    const long = changed.find((frame) => frame.length > 0) ?? assert.fail();
    long.writeUInt8(long.readUInt8(0) ^ 1, 0);
    assert.notEqual(wrong(changed), null);
    assert.notEqual(wrong(body.slice(1)), null);
    assert.notEqual(wrong([...body, Buffer.alloc(0)]), null);
    assert.notEqual(wrong([]), null);
  }
});

test("an echo is wrong if it is that of another request", () => {
  const workload = only("echo");
  const exchanges = Array.from({ length: 50 }, () => workload.next());
  for (const { wrong } of exchanges) {
    assert.equal(exchanges.filter(({ body }) => wrong(body) === null).length, 1);
  }
});

test("echo bodies have one frame or several, some of them empty, some large", () => {
  const workload = only("echo");
  const bodies = Array.from({ length: 300 }, () => workload.next().body);
  const sizes = bodies.flat().map((frame) => frame.length);
  assert.ok(bodies.some((body) => body.length === 1) && bodies.some((body) => body.length > 2));
  assert.ok(sizes.includes(0) && sizes.includes(8192));
});

test("a math reply is wrong if it is another number, or none", () => {
  const workload = only("math");
  for (let asked = 0; asked < 500; asked++) {
    const { body, wrong } = workload.next();
    const value = Number(new Function(`return ${body[0]}`)());
    const wrongFor = (...reply: string[]) => wrong(reply.map((frame) => Buffer.from(frame)));
    assert.equal(wrongFor(value.toExponential()), null);
    for (const reply of [[`${value + 1}`], [""], [" "], ["x"], [`${value}`, ""], []]) {
      assert.notEqual(wrongFor(...reply), null, `${body[0]}: ${reply}`);
    }
  }
});

test("a service gets its share of the requests", () => {
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
