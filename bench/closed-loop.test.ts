// The loop ends its process, so each test runs the loop in a process of its own.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";

const OPTIONS = {
  ...{ endpoint: "", clients: 2, outstanding: 4, bytes: 64, services: ["s0", "s1"] },
  ...{ warmupSeconds: 0.05, seconds: 0.2 },
};

test("request answered: the next one is sent", async () => {
  const { code, events } = await looped("setTimeout(slot.done, 10, 64)");
  assert.equal(code, 0);
  const [begun, done] = events;
  assert.deepEqual(begun, { event: "begun" });
  assert.ok(
    done.requests > 0 && done.requests <= 4 * (done.seconds / 0.009 + 1),
    `${done.requests}`,
  );
  assert.ok(done.seconds >= 0.199, `${done.seconds}`); // A timer of Node may fire up to 1 ms early.
  assert.ok(done.p50 >= 9000 && done.p99 >= done.p50 && done.p999 >= done.p99, `${done.p50} µs`);
  assert.equal(done.errors, 0);
});

test("several services and clients: requests and slots are spread over them in turn", async () => {
  const { stderr } = await looped(`
    console.error(slot.index, slot.client, slot.service);
    setTimeout(slot.done, 300, 64);`);
  assert.deepEqual(stderr.split("\n").slice(0, 4), ["0 0 s0", "1 1 s1", "2 0 s0", "3 1 s1"]);
});

test("request never answered: counted as an error", async () => {
  const { events, stderr } = await looped("if (slot.index > 0) setImmediate(slot.done, 64)");
  assert.equal(events[1].errors, 1);
  assert.equal(stderr, "requests without a reply: 1\n");
});

test("request answered long after the end: no error", async () => {
  const { events } = await looped("setTimeout(slot.done, slot.index === 0 ? 1000 : 1, 64)");
  assert.ok(events[1].requests > 0);
  assert.equal(events[1].errors, 0);
});

test("request failed: counted as an error, the first one printed, the next request sent", async () => {
  const { code, events, stderr } = await looped('slot.failed(new Error("no worker"))');
  assert.equal(code, 0);
  assert.equal(stderr, "the first error: no worker\n");
  assert.equal(events[1].requests, 0);
  assert.ok(events[1].errors > 4);
});

test("reply of another length: the program ends with exit code 1", async () => {
  const { code, stderr } = await looped("setImmediate(slot.done, 63)");
  assert.equal(code, 1);
  assert.equal(stderr, "a reply has 63 bytes, not 64\n");
});

type Looped = { code: number; stderr: string; events: ReturnType<typeof JSON.parse>[] };

function looped(send: string): Promise<Looped> {
  const script = `
    import { closedLoop } from ${JSON.stringify(import.meta.resolve("./closed-loop.ts"))};
    process.on("uncaughtException", (error) => {
      console.error(error.message);
      process.exit(1);
    });
    await closedLoop(${JSON.stringify(OPTIONS)}, (slot) => { ${send} });`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", script];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      const events = stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      resolve({ code: error ? Number(error.code) : 0, stderr, events });
    });
  });
}
