// A scenario is a test with a stack of its own and faults in it. After each, every request has exactly
// one outcome, and the broker's counts add up.

import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Counts } from "../../broker/vocabulary.ts";
import { leaseMs } from "../../protocol/heartbeat.ts";
import type { LogLine } from "../process-log.ts";
import { Nemesis } from "./nemesis.ts";
import { Stack } from "./stack.ts";

/** The time that a slow machine may add to any limit, in ms. */
export const SLACK_MS = 2500;

/** The time limit of a scenario, in ms. */
const TIMEOUT_MS = 180_000;

const HEARTBEAT = { intervalMs: 500, liveness: 3 };
export const INTERVAL_MS = HEARTBEAT.intervalMs;
export const LEASE_MS = leaseMs(HEARTBEAT);

export type ScenarioContext = {
  stack: Stack;
  nemesis: Nemesis;
  /** Asserts that a time in ms is within limits, and records it for docs/RELIABILITY.md. */
  checkTime(label: string, ms: number, limits: { min?: number; max: number }): void;
  /** Skips the scenario, because this machine cannot run it. Fails instead where CI=true. */
  skip(reason: string): void;
};

/** One line of the file SCENARIO_RESULTS, as JSON. */
export type ScenarioResult = { title: string; faults: string[]; times: string[] };

/**
 * Defines a scenario. `settings` are added to every program's environment, which has a lease of
 * LEASE_MS by default.
 */
export function scenario(
  title: string,
  play: (context: ScenarioContext) => Promise<void>,
  settings: Record<string, string> = {},
) {
  test(title, { timeout: TIMEOUT_MS }, async (t) => {
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
      checkTime(label, ms, { min = 0, max }) {
        const limits = min > 0 ? `${count(min)} to ${count(max)}` : `at most ${count(max)}`;
        times.push(`${label} ${count(ms)} ms (${limits})`);
        t.diagnostic(times.at(-1) ?? "");
        assert.ok(ms >= min && ms <= max, `${label} ${ms} ms, outside the limit of ${limits} ms`);
      },
      skip(reason) {
        assert.notEqual(process.env.CI, "true", reason);
        times.push(`not run: ${reason}`);
        t.skip(reason);
      },
    });
    await checkNothingIsLost(stack);
    record({ title, faults: nemesis.faults.map(({ kind }) => kind), times });
  });
}

/** The time of a log line, in ms since 1970. */
export const timeOf = ({ time }: LogLine) => Date.parse(String(time));

/** Resolves when the broker's counts equal `expected`; rejects with the difference after `withinMs`. */
export async function untilCounts(stack: Stack, expected: Partial<Counts>, withinMs = 20_000) {
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

/** Asserts that every request got a reply; returns the number of requests. */
export function everyRequestAnswered(stack: Stack): number {
  const { asked } = stack.judge();
  const others = stack.history.filter(
    (entry) => entry.event === "ended" && !("answers" in entry.outcome),
  );
  assert.deepEqual(others, []);
  return asked;
}

async function checkNothingIsLost(stack: Stack) {
  const { lost, duplicated, unexpected, misrouted, violations } = stack.judge();
  assert.deepEqual(violations, []);
  assert.deepEqual({ lost, duplicated, unexpected, misrouted }, NO_ERRORS);
  const metrics = await fetch(`${stack.healthUrl}/metrics`);
  assert.match(await metrics.text(), /^mdp_accounting_drift 0$/m);
}

const NO_ERRORS = { lost: 0, duplicated: 0, unexpected: 0, misrouted: 0 };

function record(result: ScenarioResult) {
  const { SCENARIO_RESULTS: file } = process.env;
  if (file) appendFileSync(file, `${JSON.stringify(result)}\n`);
}

const count = (ms: number) => Math.round(ms).toLocaleString("en");
