// The loop ends its process, so that each test runs one of its own.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";

const OPTIONS = {
  ...{ endpoint: "", clients: 2, outstanding: 4, bytes: 64, services: ["s0", "s1"] },
  ...{ warmupSeconds: 0.05, seconds: 0.2 },
};

test("an answered request makes room for the next", async () => {
  const { code, events } = await looped("setTimeout(slot.done, 10, 64)");
  assert.equal(code, 0);
  const [begun, done] = events;
  assert.deepEqual(begun, { event: "begun" });
  assert.ok(
    done.requests > 0 && done.requests <= 4 * (done.seconds / 0.009 + 1),
    `${done.requests}`,
  );
  assert.ok(done.seconds >= 0.199, `${done.seconds}`); // A timer of Node may be a ms early.
  assert.ok(done.p50 >= 9000 && done.p99 >= done.p50 && done.p999 >= done.p99, `${done.p50} µs`);
  assert.equal(done.errors, 0);
});

test("requests go round over the services, and slots over the clients", async () => {
  const { told } = await looped(`
    console.error(slot.index, slot.client, slot.service);
    setTimeout(slot.done, 300, 64);`);
  assert.deepEqual(told.split("\n").slice(0, 4), ["0 0 s0", "1 1 s1", "2 0 s0", "3 1 s1"]);
});

test("a request that is never answered is an error", async () => {
  const { events, told } = await looped("if (slot.index > 0) setImmediate(slot.done, 64)");
  assert.equal(events[1].errors, 1);
  assert.equal(told, "requests without a reply: 1\n");
});

test("a request that is answered long after the end is none", async () => {
  const { events } = await looped("setTimeout(slot.done, slot.index === 0 ? 1000 : 1, 64)");
  assert.ok(events[1].requests > 0);
  assert.equal(events[1].errors, 0);
});

test("a failed request is an error, the first is told, and the next is asked", async () => {
  const { code, events, told } = await looped('slot.failed(new Error("no worker"))');
  assert.equal(code, 0);
  assert.equal(told, "the first error: no worker\n");
  assert.equal(events[1].requests, 0);
  assert.ok(events[1].errors > 4);
});

test("a reply of another length ends the program", async () => {
  const { code, told } = await looped("setImmediate(slot.done, 63)");
  assert.equal(code, 1);
  assert.equal(told, "a reply has 63 bytes, not 64\n");
});

type Looped = { code: number; told: string; events: ReturnType<typeof JSON.parse>[] };

function looped(ask: string): Promise<Looped> {
  const script = `
    import { closedLoop } from ${JSON.stringify(import.meta.resolve("./closed-loop.ts"))};
    process.on("uncaughtException", (error) => {
      console.error(error.message);
      process.exit(1);
    });
    await closedLoop(${JSON.stringify(OPTIONS)}, (slot) => { ${ask} });`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", script];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, told) => {
      const events = stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      resolve({ code: error ? Number(error.code) : 0, told, events });
    });
  });
}
