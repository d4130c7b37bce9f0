// Parses the Prometheus text format, more strictly than Prometheus: rejects unknown lines, samples
// without HELP and TYPE, and duplicate samples.

import assert from "node:assert/strict";

export type Family = { type: string; help: string; samples: Sample[] };

export type Sample = { name: string; labels: Record<string, string>; value: number };

const INTRODUCTION = /^# (HELP|TYPE) ([a-z0-9_]+) (.+)$/;
const SAMPLE = /^([a-z0-9_]+)(?:\{(.+)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;

/** The metric families of a page, by name. Throws an AssertionError if the page is malformed. */
export function parseMetrics(page: string): Map<string, Family> {
  assert.ok(page.endsWith("\n"), "the last line has no line feed");
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  for (const line of page.split("\n").filter((line) => line !== "")) {
    const [, word, introduced = "", text = ""] = INTRODUCTION.exec(line) ?? [];
    if (word === "HELP") families.set(introduced, { type: "", help: text, samples: [] });
    else if (word === "TYPE") Object.assign(families.get(introduced) ?? {}, { type: text });
    else {
      const [, name = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
      const family = familyOf(families, name) ?? assert.fail(`unknown line: ${line}`);
      const key = line.slice(0, line.lastIndexOf(" "));
      assert.ok(!seen.has(key), `duplicate sample: ${line}`);
      seen.add(key);
      // prom-client writes "Nan" for the mean of no samples.
      const isNone = value === "Nan" && family.type === "gauge";
      assert.ok(isNone || !Number.isNaN(Number(value)), `not a number: ${line}`);
      family.samples.push({ name, labels: labelsOf(labels), value: Number(value) });
    }
  }
  return families;
}

/** The sum of all samples of this name that have these labels. */
export function sumOf(
  page: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const family = familyOf(page, name) ?? assert.fail(`there is no ${name}`);
  const wanted = Object.entries(labels);
  return family.samples
    .filter((sample) => sample.name === name)
    .filter((sample) => wanted.every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

function familyOf(families: Map<string, Family>, name: string): Family | undefined {
  const histogram = families.get(name.replace(/_(bucket|sum|count)$/, ""));
  const family = histogram?.type === "histogram" ? histogram : families.get(name);
  return family?.type ? family : undefined;
}

function labelsOf(text: string): Record<string, string> {
  const found = [...text.matchAll(LABEL)];
  const length = found.reduce((sum, [all]) => sum + all.length, 0);
  assert.equal(length, text.length, `malformed labels: ${text}`);
  return Object.fromEntries(found.map(([, name = "", value = ""]) => [name, unescaped(value)]));
}

const unescaped = (value: string) =>
  value.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
