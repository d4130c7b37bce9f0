import assert from "node:assert/strict";
import { test } from "node:test";
import { bars, lines, spread, stepsTo, wrapped } from "./svg-charts.ts";

const numbers = (svg: string, pattern: RegExp) =>
  [...svg.matchAll(pattern)].map(([, number]) => Number(number));

test("bars: proportional to their values, the longest one has the full width", () => {
  const bar = (label: string, value: number) => ({
    label,
    value,
    text: `${value}/s`,
    strong: true,
  });
  const svg = bars("Speed", [bar("A", 400), bar("B", 100), bar("C", 0)]);
  const [a = 0, b, c] = numbers(svg, /<rect [^>]*width="([\d.]+)"/g);
  assert.equal(b, a / 4);
  assert.equal(c, 1); // A bar stays visible.
  for (const text of ["Speed", ">A<", ">400/s<"]) assert.ok(svg.includes(text), text);
});

test("lines: values go up, and each factor of ten has the same width", () => {
  const points: [number, number][] = [
    [1, 1],
    [10, 2],
    [100, 1],
  ];
  const svg = lines("Growth", "workers", [{ label: "A", points }]);
  const [x0 = 0, x1 = 0, x2] = numbers(svg, /<circle [^>]*cx="([\d.]+)"/g);
  const [y0 = 0, y1 = 0, y2] = numbers(svg, /<circle [^>]*cy="([\d.]+)"/g);
  assert.equal(x2, x1 + (x1 - x0));
  assert.ok(y1 < y0);
  assert.equal(y2, y0);
});

test("one point only: the chart is valid", () => {
  const svg = lines("Growth", "workers", [{ label: "A", points: [[1, 1]] }]);
  assert.ok(!/NaN|Infinity/.test(svg), svg);
});

test("text with markup: escaped", () => {
  const svg = bars('<&"', [{ label: "<b>", value: 1, text: "&", strong: false }]);
  assert.ok(svg.includes("&lt;&amp;&quot;") && svg.includes("&lt;b>"));
});

test("charts have colours for light and dark pages", () => {
  assert.match(bars("A", []), /@media\(prefers-color-scheme:dark\)\{text\{fill:/);
});

test("axis: about five round steps", () => {
  assert.deepEqual(stepsTo(1.1), [0, 0.5, 1]);
  assert.deepEqual(stepsTo(5.5), [0, 2, 4]);
  assert.deepEqual(stepsTo(1234), [0, 500, 1000]);
});

test("labels that overlap: moved apart, in their order", () => {
  assert.deepEqual(spread([100, 20, 101]), [100, 20, 115]);
  assert.deepEqual(spread([5, 5, 5]), [5, 20, 35]);
});

test("bars of ours and of others: a legend names the colours", () => {
  const bar = { label: "A", value: 1, text: "1" };
  const [ours, other] = [
    { ...bar, strong: true },
    { ...bar, strong: false },
  ];
  assert.match(bars("Speed", [ours, other]), />ours: this project<.*>other systems</s);
  assert.doesNotMatch(bars("Speed", [other, other]), /this project/);
});

test("long title: broken between words", () => {
  assert.deepEqual(wrapped("one two three four", 9), ["one two", "three", "four"]);
});
