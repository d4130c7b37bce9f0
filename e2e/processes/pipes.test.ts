// The output of `call` and `load` goes to a pipe or a file that takes no more of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Program } from "./program.ts";
import { Stack } from "./stack.ts";

const CALL = ["clients/call.ts", "echo", "hello"];
const LOAD = ["clients/load.ts", "--mix", "echo", "--duration", "1", "--every", "0.1"];
const NODE = "node --max-semi-space-size=16 --import tsx";

for (const [name, [file = "", ...args]] of [
  ["call", CALL],
  ["load", LOAD],
] as const) {
  test(`${name} into a pipe without a reader, or a full disk: an exit code, no stack trace`, async () => {
    await using stack = await Stack.start();
    await stack.worker("workers/echo.ts");
    /** Runs a command of bash, in which $PROGRAM is the program with its arguments. */
    const run = async (command: string) => {
      const settings = { MDP_BROKER: stack.endpoint };
      const program = `PROGRAM='${NODE} ${[file, ...args].join(" ")}'; ${command}`;
      const shell = new Program(program, [], settings, ["bash", "-c"]);
      await shell.ended;
      return [shell.output.trim(), shell.errors.trim()];
    };
    // The exit code goes past the pipe, whose reader is gone at once.
    const piped = (redirection: string) =>
      run(`{ { $PROGRAM ${redirection}; echo $? >&3; } | true; } 3>&1`);
    assert.deepEqual(await piped(""), ["141", ""]);
    assert.deepEqual(await piped("2>&1"), ["141", ""]);
    const full = `${name}: cannot write the output (ENOSPC)`;
    assert.deepEqual(await run("$PROGRAM >/dev/full; echo $?"), ["1", full]);
    assert.deepEqual(await run("$PROGRAM >/dev/full 2>&1; echo $?"), ["1", ""]);
    const [output = ""] = await run("$PROGRAM 2>/dev/full; echo $?");
    assert.match(output, /\n0$/);
  });
}
