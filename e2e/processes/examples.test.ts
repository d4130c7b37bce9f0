// The console examples of docs/SERVICES.md: each command prints the output on the page.

import assert from "node:assert/strict";
import { exec } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Stack } from "./stack.ts";

const page = readFileSync("docs/SERVICES.md", "utf8");
const blocks = [...page.matchAll(/```console\n(.*?)```/gs)].map(([, block = ""]) => block);
const examples = blocks.flatMap((block) =>
  [...block.matchAll(/^\$ (.*)\n((?:[^$].*\n)*)/gm)].map(([, command = "", printed = ""]) => ({
    command,
    printed,
  })),
);

const folder = mkdtempSync(join(tmpdir(), "examples-"));
after(() => rmSync(folder, { recursive: true }));

test("commands of docs/SERVICES.md: the output on the page", async (t) => {
  assert.ok(examples.length > 10, `${examples.length} examples`);
  await using stack = await Stack.start({ MDP_DB_FILE: join(folder, "documents.sqlite") });
  for (const service of ["echo", "math", "db"]) await stack.worker(`workers/${service}.ts`);
  const env = { ...process.env, MDP_BROKER: stack.endpoint };
  for (const { command, printed } of examples) {
    await t.test(command, async () => {
      const output = await new Promise((resolve) => {
        exec(command, { env }, (_error, stdout, stderr) => resolve(stdout + stderr));
      });
      assert.equal(output, printed);
    });
  }
});
