import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, durationText } from "./settings.ts";

test("number with unit s, m or h: a duration in ms", () => {
  const durations: [string | undefined, number][] = [
    [undefined, 60_000],
    ["90s", 90_000],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["12h", 43_200_000],
  ];
  for (const [text, ms] of durations) assert.deepEqual(duration(text), { value: ms });
});

test("duration without unit, malformed, too short or too long: rejected", () => {
  for (const text of ["abc", "60", "1.5m", "-5m", "9s", "13h", "10 m", "10m30s", "1d"]) {
    const expected = "a time from 10s to 12h, such as 90s, 10m or 2h";
    assert.deepEqual(duration(text), { expected }, text);
  }
});

test("duration as text: parses to the same duration", () => {
  const texts: [number, string][] = [
    [60_000, "60s"],
    [90_000, "90s"],
    [600_000, "10m"],
    [5_400_000, "90m"],
    [7_200_000, "2h"],
  ];
  for (const [ms, text] of texts) {
    assert.equal(durationText(ms), text);
    assert.deepEqual(duration(text), { value: ms });
  }
});
