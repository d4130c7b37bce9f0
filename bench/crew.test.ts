import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { Program } from "./contender.ts";
import { Crew } from "./crew.ts";
import { familyOf } from "./usage.ts";

const shell = (script: string, ready: Program["ready"] = null): Program => ({
  role: "worker",
  command: "sh",
  args: ["-c", script],
  ready,
});

/** Of one that has ended something is left until its parent looks at it. */
const isAlive = (pid: number) => {
  const status = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout;
  return status !== "" && !status.startsWith("Z");
};

function isGone(pid: number) {
  const deadline = performance.now() + 5000;
  while (isAlive(pid)) assert.ok(performance.now() < deadline, `${pid} is still there`);
}

test("a program is ready once it says so, and ended with its children", async () => {
  const pids: number[] = [];
  {
    await using crew = new Crew();
    const { pid } = await crew.start(shell("sleep 99 & echo ready; wait", { line: "ready" }));
    pids.push(...familyOf(pid));
    assert.equal(pids.length, 2);
    assert.ok(crew.usage("worker").rssBytes > 0);
    assert.equal(crew.usage("broker").rssBytes, 0);
  }
  pids.forEach(isGone);
});

test("who dies is named with its last lines, whatever is waited for", async () => {
  await using crew = new Crew();
  const program = await crew.start(shell("echo one; echo two >&2; sleep 0.1; exit 3"));
  await assert.rejects(crew.line(program, "never", 5000), (error: Error) => {
    assert.match(error.message, /^the worker \(sh -c .*\) died: exit code 3\n/);
    assert.match(error.message, /one/);
    assert.match(error.message, /two/);
    return true;
  });
});

test("a command that is not there is an error", async () => {
  await using crew = new Crew();
  const absent = { ...shell(""), command: "/no/such/program" };
  await assert.rejects(crew.start(absent), /ENOENT/);
});

test("what takes too long is told with the last line of each", async () => {
  await using crew = new Crew();
  const program = await crew.start(shell("echo hello; sleep 99"));
  await crew.line(program, "hello", 5000);
  await assert.rejects(crew.line(program, "never", 50), /to say never\n.*: hello$/s);
});

test("a bench that is interrupted leaves nothing behind", async () => {
  const script = `
    import { Crew } from "./bench/crew.ts";
    process.on("SIGINT", () => process.exit(130));
    const crew = new Crew();
    const program = { role: "broker", command: "sleep", args: ["99"], ready: null };
    const { pid } = await crew.start(program);
    console.log(pid);
  `;
  const bench = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
  const [line] = await once(createInterface({ input: bench.stdout }), "line");
  assert.ok(isAlive(Number(line)));
  bench.kill("SIGINT");
  await once(bench, "exit");
  isGone(Number(line));
});
