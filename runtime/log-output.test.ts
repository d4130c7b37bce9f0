import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { LogOutput } from "./log-output.ts";

/** An output with room for this many bytes; null: each write fails with `code`. */
function start(t: { after(end: () => void): void }, room: number | null, code = "ENOSPC") {
  let text = "";
  const at = { room };
  const output = new LogOutput(
    (bytes) => {
      if (at.room === 0) throw Object.assign(new Error("full"), { code: "EAGAIN" });
      if (at.room === null) throw Object.assign(new Error("failed"), { code });
      const written = Math.min(at.room, bytes.length);
      text += bytes.toString("latin1", 0, written);
      at.room -= written;
      return written;
    },
    (dropped) => output.write(`${dropped} dropped\n`),
  );
  const keepRunning = setInterval(() => {}, 1000); // The output lets the process end.
  t.after(() => clearInterval(keepRunning));
  return { output, at, text: () => text };
}

/** Waits for this text for at most 60 s. */
async function becomes(text: () => string, expected: string) {
  const deadline = performance.now() + 60_000;
  while (text() !== expected && performance.now() < deadline) await turn();
  assert.equal(text(), expected);
}

const MIB = 2 ** 20;

test("reader with room: each line is written at once", (t) => {
  const { output, text } = start(t, Number.POSITIVE_INFINITY);
  output.write("a\n");
  assert.equal(text(), "a\n");
  output.write("b\n");
  assert.equal(text(), "a\nb\n");
});

test("reader without room: the rest of a line and later lines wait, in order", async (t) => {
  const { output, at, text } = start(t, 3);
  output.write("long line\n");
  output.write("next\n");
  assert.equal(text(), "lon");
  at.room = Number.POSITIVE_INFINITY;
  await becomes(text, "long line\nnext\n");
  output.write("last\n");
  assert.equal(text(), "long line\nnext\nlast\n");
});

for (const code of ["ENOSPC", "EPIPE", "EIO"]) {
  test(`${code}: nothing throws, and the lines are written when that is possible`, async (t) => {
    const { output, at, text } = start(t, null, code);
    output.write("a\n");
    output.flushAtExit(60_000); // Does not wait for a disk or a pipe.
    at.room = Number.POSITIVE_INFINITY;
    await becomes(text, "a\n");
  });
}

test("more than 1 MiB waits: further lines are dropped and counted, and reported later", async (t) => {
  const { output, at, text } = start(t, 0);
  const line = `${"x".repeat(1023)}\n`;
  for (let nth = 0; nth < 1024 + 5; nth += 1) output.write(line);
  assert.equal(output.dropped, 5);
  at.room = MIB - 1;
  await becomes(text, line.repeat(1024).slice(0, -1));
  at.room = Number.POSITIVE_INFINITY;
  await becomes(text, `${line.repeat(1024)}5 dropped\n`);
  output.write("more\n");
  assert.ok(text().endsWith("\n5 dropped\nmore\n"));
  assert.equal(output.dropped, 5);
});

test("process ends: the waiting lines are written, and a sleeping reader is not waited for", (t) => {
  const { output, at, text } = start(t, 0);
  output.write("a\n");
  const begun = performance.now();
  output.flushAtExit(20);
  assert.ok(performance.now() - begun >= 20);
  at.room = Number.POSITIVE_INFINITY;
  output.flushAtExit(60_000);
  assert.equal(text(), "a\n");
});
