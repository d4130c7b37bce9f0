import assert from "node:assert/strict";
import { test } from "node:test";
import { showProgress } from "./progress.ts";

test("standard error is no terminal: one line every 5 s until the end", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const lines: unknown[] = [];
  t.mock.method(process.stderr, "write", (line: string) => lines.push(line));
  let done = 0;
  const progress = showProgress(10, () => ({ done, text: `${done} of 10` }));
  t.mock.timers.tick(4999);
  assert.deepEqual(lines, []);
  done = 3;
  t.mock.timers.tick(1);
  done = 7;
  t.mock.timers.tick(5000);
  assert.deepEqual(lines, ["3 of 10\n", "7 of 10\n"]);
  progress.end();
  t.mock.timers.tick(60_000);
  assert.equal(lines.length, 2);
});
