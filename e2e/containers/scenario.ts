// A test with a stack of its own and something that goes wrong with it. Whatever it was, in the end
// every request has its one outcome, and the broker's account adds up.

import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Counts } from "../../broker/vocabulary.ts";
import { leaseMs } from "../../protocol/heartbeat.ts";
import type { LogLine } from "../process-log.ts";
import { Nemesis } from "./nemesis.ts";
import { Stack } from "./stack.ts";

/** What a slow machine may add to any time, in ms. */
export const SLACK_MS = 2500;

/** After how long a scenario has failed that does not end, in ms. */
const PATIENCE_MS = 180_000;

const HEARTBEAT = { intervalMs: 500, liveness: 3 };
export const INTERVAL_MS = HEARTBEAT.intervalMs;
export const LEASE_MS = leaseMs(HEARTBEAT);

export type Scene = {
  stack: Stack;
  nemesis: Nemesis;
  /** Holds a time in ms against its bounds, and notes it for docs/RELIABILITY.md. */
  took(what: string, ms: number, bounds: { least?: number; most: number }): void;
  /** This machine cannot do what is to be shown. Where everything is to be checked, that fails. */
  cannot(reason: string): void;
};

/** What the suite notes of a scenario. */
export type Note = { title: string; faults: string[]; times: string[] };

/** The settings are every program's environment, with a short lease unless they say otherwise. */
export function scenario(
  title: string,
  play: (scene: Scene) => Promise<void>,
  settings: Record<string, string> = {},
) {
  test(title, { timeout: PATIENCE_MS }, async (t) => {
    await using stack = await Stack.start({
      MDP_HEARTBEAT_INTERVAL_MS: String(HEARTBEAT.intervalMs),
      MDP_HEARTBEAT_LIVENESS: String(HEARTBEAT.liveness),
      ...settings,
    });
    const nemesis = new Nemesis(stack.network);
    const times: string[] = [];
    await play({
      stack,
      nemesis,
      took(what, ms, { least = 0, most }) {
        const allowed = least > 0 ? `${count(least)} to ${count(most)}` : `at most ${count(most)}`;
        times.push(`${what} ${count(ms)} ms (${allowed})`);
        t.diagnostic(times.at(-1) ?? "");
        assert.ok(ms >= least && ms <= most, `${what} ${ms} ms, and not ${allowed}`);
      },
      cannot(reason) {
        assert.notEqual(process.env.CI, "true", reason);
        times.push(`not run: ${reason}`);
        t.skip(reason);
      },
    });
    await nothingIsLost(stack);
    note({ title, faults: nemesis.faults.map(({ kind }) => kind), times });
  });
}

/** When a line was logged, in ms since 1970. */
export const timeOf = ({ time }: LogLine) => Date.parse(String(time));

/** Resolves when the broker's account is as it should be. */
export async function counted(stack: Stack, expected: Partial<Counts>, withinMs = 20_000) {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const counts = await stack.counts();
    const found = Object.fromEntries(
      Object.keys(expected).map((name) => [name, counts[name as keyof Counts]]),
    );
    try {
      assert.deepEqual(found, expected);
      return counts;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await setTimeout(50);
    }
  }
}

/** And none refused. How many there were. */
export function everyRequestAnswered(stack: Stack): number {
  const { asked } = stack.judge();
  const others = stack.history.filter(
    (noted) => noted.event === "ended" && !("answers" in noted.outcome),
  );
  assert.deepEqual(others, []);
  return asked;
}

async function nothingIsLost(stack: Stack) {
  const { lost, duplicated, unexpected, misrouted, violations } = stack.judge();
  assert.deepEqual(violations, []);
  assert.deepEqual({ lost, duplicated, unexpected, misrouted }, NOTHING);
  const metrics = await fetch(`${stack.health}/metrics`);
  assert.match(await metrics.text(), /^mdp_accounting_drift 0$/m);
}

const NOTHING = { lost: 0, duplicated: 0, unexpected: 0, misrouted: 0 };

function note(entry: Note) {
  const { SCENARIO_NOTES: file } = process.env;
  if (file) appendFileSync(file, `${JSON.stringify(entry)}\n`);
}

const count = (ms: number) => Math.round(ms).toLocaleString("en");
