import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { tipsFor } from "./tips.ts";

const commands = (inContainer: boolean) => tipsFor(inContainer).map(({ command }) => command);

test("console in a container: its three tips name services of compose.yaml", () => {
  const compose = readFileSync("compose.yaml", "utf8");
  assert.equal(commands(true).length, 3);
  for (const command of commands(true)) {
    const [, service] = /(?:scale |ps -q |restart )([a-z]+)/.exec(command) ?? [];
    assert.match(compose, new RegExp(`^  ${service}:$`, "m"), command);
    assert.doesNotMatch(command, /[a-z]-[0-9]/, "a container has the name of the folder");
  }
});

test("console without a container: its three tips name scripts of package.json", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  assert.equal(commands(false).length, 3);
  for (const command of commands(false)) {
    const [, script = ""] = /^npm run (?:-s )?([a-z]+)/.exec(command) ?? [];
    assert.ok(script in scripts, command);
  }
});
