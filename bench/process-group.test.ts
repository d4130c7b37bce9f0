import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { ProcessGroup } from "./process-group.ts";
import { processTree } from "./process-usage.ts";
import type { Program } from "./system.ts";

const shell = (script: string, ready: Program["ready"] = null): Program => ({
  role: "worker",
  command: "sh",
  args: ["-c", script],
  ready,
});

/** False for a zombie too: an ended process that its parent has not waited for. */
const isAlive = (pid: number) => {
  const status = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout;
  return status !== "" && !status.startsWith("Z");
};

function waitUntilGone(pid: number) {
  const deadline = performance.now() + 5000;
  while (isAlive(pid)) assert.ok(performance.now() < deadline, `${pid} is still there`);
}

test("group disposed: its programs and their children end", async () => {
  const pids: number[] = [];
  {
    await using group = new ProcessGroup();
    const { pid } = await group.start(shell("sleep 99 & echo ready; wait", { line: "ready" }));
    pids.push(...processTree(pid));
    assert.equal(pids.length, 2);
    assert.ok(group.usage("worker").rssBytes > 0);
    assert.equal(group.usage("broker").rssBytes, 0);
  }
  pids.forEach(waitUntilGone);
});

test("program dies: every wait rejects with its exit code and last lines", async () => {
  await using group = new ProcessGroup();
  const program = await group.start(shell("echo one; echo two >&2; sleep 0.1; exit 3"));
  await assert.rejects(group.waitForLine(program, "never", 5000), (error: Error) => {
    assert.match(error.message, /^the worker \(sh -c .*\) died: exit code 3\n/);
    assert.match(error.message, /one/);
    assert.match(error.message, /two/);
    return true;
  });
});

test("command does not exist: start rejects", async () => {
  await using group = new ProcessGroup();
  const absent = { ...shell(""), command: "/no/such/program" };
  await assert.rejects(group.start(absent), /ENOENT/);
});

test("wait takes too long: rejects with the last line of each program", async () => {
  await using group = new ProcessGroup();
  const program = await group.start(shell("echo hello; sleep 99"));
  await group.waitForLine(program, "hello", 5000);
  const late = group.waitForLine(program, "never", 50);
  await assert.rejects(late, /to print never\n.*: hello$/s);
});

test("benchmark interrupted: no process is left", async () => {
  const script = `
    import { ProcessGroup } from "./bench/process-group.ts";
    process.on("SIGINT", () => process.exit(130));
    const group = new ProcessGroup();
    const program = { role: "broker", command: "sleep", args: ["99"], ready: null };
    const { pid } = await group.start(program);
    console.log(pid);
  `;
  const bench = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
  const [line] = await once(createInterface({ input: bench.stdout }), "line");
  assert.ok(isAlive(Number(line)));
  bench.kill("SIGINT");
  await once(bench, "exit");
  waitUntilGone(Number(line));
});
