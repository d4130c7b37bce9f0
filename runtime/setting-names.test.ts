import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseEnv } from "node:util";
import { mistypedNames } from "./setting-names.ts";

for (const [given, right] of [
  ["MDP_HEARTBEAT_INTERVAL", "MDP_HEARTBEAT_INTERVAL_MS"],
  ["MDP_HEARBEAT_LIVENESS", "MDP_HEARTBEAT_LIVENESS"],
  ["MDP_BROKR", "MDP_BROKER"],
  ["MDP_HEALTHPORT", "MDP_HEALTH_PORT"],
  ["mdp_bind", "MDP_BIND"],
  ["MDP_MAX_QUEUE", "MDP_QUEUE_MAX"],
] as const) {
  test(`${given}: a warning with ${right}`, () => {
    const sentence = `${given} is no setting; the nearest one is ${right}`;
    assert.deepEqual(mistypedNames(["PATH", given, "MDP_BROKER"], []), [sentence]);
  });
}

test("settings of .env.example and of the program: no warning", () => {
  const names = Object.keys(parseEnv(readFileSync(".env.example", "utf8")));
  assert.ok(names.length > 30);
  assert.deepEqual(mistypedNames([...names, "MDP_UPPER_LETTERS"], ["MDP_UPPER_LETTERS"]), []);
  assert.match(mistypedNames(["MDP_UPPER_LETTER"], ["MDP_UPPER_LETTERS"])[0] ?? "", /LETTERS$/);
});
