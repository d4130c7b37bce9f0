// The settings of a chaos run, SEED and DURATION, from the environment.

import { randomInt } from "node:crypto";
import { readSettings, type Setting, whole } from "../../runtime/settings.ts";

export type ChaosSettings = { seed: number; durationMs: number };

/** Reads the settings. Bad values end the program with one line that names each of them. */
export function chaosSettings(): ChaosSettings {
  const { SEED, DURATION } = readSettings("chaos", {
    SEED: whole("a seed", 0, SEED_MAX, randomInt(DRAWN_BELOW)),
    DURATION: duration,
  });
  return { seed: SEED, durationMs: DURATION };
}

/** Parses a duration such as 90s, 10m or 2h into ms. */
export const duration: Setting<number> = (text = "60s") => {
  const ms = milliseconds(text) ?? 0;
  if (ms >= LEAST_MS && ms <= MOST_MS) return { value: ms };
  return { expected: "a time from 10s to 12h, such as 90s, 10m or 2h" };
};

/** A duration as DURATION accepts it, in the largest unit that fits. */
export function durationText(ms: number): string {
  const [unit = "s", each = 1000] =
    Object.entries(UNITS).find(([, unitMs]) => ms >= 2 * unitMs && ms % unitMs === 0) ?? [];
  return `${ms / each}${unit}`;
}

function milliseconds(text: string): number | null {
  const [, digits, unit = ""] = /^([0-9]{1,6})([smh])$/.exec(text) ?? [];
  return digits === undefined ? null : Number(digits) * (UNITS[unit] ?? 0);
}

const UNITS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000 };
const LEAST_MS = 10_000;
const MOST_MS = 12 * 3_600_000; // The history stays in memory.
const SEED_MAX = 2 ** 32 - 1;
const DRAWN_BELOW = 1_000_000; // A random seed is short enough to type.
