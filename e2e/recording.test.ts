// The terminal recording: its rows, its steps in time, and its markup.

import assert from "node:assert/strict";
import { test } from "node:test";
import { recording } from "./recording.ts";

const rowsOf = (svg: string) =>
  [...svg.matchAll(/<text y="(\d+)"[^>]*>(.*)<\/text>/g)].map(([, y, text = ""]) => ({
    y: Number(y),
    text: text.replaceAll(/<[^>]+>/g, "").replaceAll("\u00a0", " "),
  }));

const shiftsOf = (svg: string, name: string) => {
  const [, steps = ""] = new RegExp(`@keyframes ${name} {(.*)}`).exec(svg) ?? [];
  return [...steps.matchAll(/([\d.]+)% { transform: translateY\((-?\d+)px\); }/g)].map(
    ([, at, y]) => [Number(at), Number(y)],
  );
};

test("one row per line, below the command", () => {
  const svg = recording("ls", [
    { atMs: 100, text: "  0.1 s  demo    <a> & b" },
    { atMs: 200, text: "" },
    { atMs: 200, text: "end" },
  ]);
  assert.deepEqual(rowsOf(svg), [
    { y: 13, text: "$ ls" },
    { y: 31, text: "  0.1 s  demo    &lt;a&gt; &amp; b" },
    { y: 67, text: "end" },
  ]);
});

test("a line of 101 columns: broken after 100", () => {
  const svg = recording("ls", [{ atMs: 0, text: `${"x".repeat(100)}y` }]);
  assert.deepEqual(
    rowsOf(svg).map(({ text }) => text.length),
    [4, 100, 1],
  );
});

test("rows appear in steps, a long pause lasts 1.5 s, the last frame 8 s", () => {
  const svg = recording("ls", [
    { atMs: 500, text: "a" },
    { atMs: 500, text: "b" },
    { atMs: 60_500, text: "c" },
  ]);
  assert.match(svg, /animation: cover 10000ms step-end infinite/);
  assert.deepEqual(shiftsOf(svg, "cover"), [
    [0, 18],
    [5, 54],
    [20, 72],
  ]);
});

test("more than 30 rows: the text scrolls, and the last frame shows the last 30", () => {
  const svg = recording(
    "ls",
    Array.from({ length: 31 }, (_, nth) => ({ atMs: nth * 1000, text: "a" })),
  );
  assert.match(svg, /height="572"/); // 30 rows of 18 px and a margin.
  assert.deepEqual(
    shiftsOf(svg, "scroll")
      .map(([, y]) => y)
      .slice(-3),
    [0, -18, -36],
  );
  assert.match(svg, /\.text { transform: translateY\(-36px\);/);
});
