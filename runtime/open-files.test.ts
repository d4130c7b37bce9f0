import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connectionsFor, openFilesMax } from "./open-files.ts";

test("limit of open files: that of ulimit -n", { skip: process.platform !== "linux" }, () => {
  const program = `import("./runtime/open-files.ts").then((m) => console.log(m.openFilesMax()))`;
  const node = `"${process.execPath}" --import tsx --eval '${program}'`;
  const { stdout } = spawnSync("sh", ["-c", `ulimit -n 345; ${node}`]);
  assert.equal(String(stdout).trim(), "345");
});

test("limits that the system does not have: 1,024 open files", () => {
  assert.equal(openFilesMax("/nosuch/limits"), 1024);
  const file = join(mkdtempSync(join(tmpdir(), "mdp-")), "limits");
  writeFileSync(
    file,
    "Max open files            unlimited            unlimited            files\n",
  );
  assert.equal(openFilesMax(file), 1024);
});

test("connections: all files but 100, and at least half of them", () => {
  assert.deepEqual([1024, 300, 200, 101, 1].map(connectionsFor), [924, 200, 100, 50, 1]);
});
