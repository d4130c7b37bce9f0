// Which plots the page has, and what is in them.

import type { Part } from "./part.ts";
import { type Bar, bars, lines } from "./plot.ts";
import type { Results } from "./results.ts";
import { digits, subjectsIn, timesOf } from "./tables.ts";

export type Plot = { file: string; title: string; svg: string };

/** The plots of a part: those for which something was measured. */
export function plotsOf(part: Part, results: Results): Plot[] {
  switch (part.view) {
    case "load":
      return part.columns.flatMap((column) => speeds(part, column, results));
    case "growth":
      return growing(part, results);
    case "depth":
      return part.columns.slice(-1).flatMap((column) => memory(part, column, results));
    case "idle":
      return [];
  }
}

function speeds(part: Part, column: string, results: Results): Plot[] {
  const { title, reference } = part;
  const rows = subjectsIn(part, column, results).map(([label, { perSecond = 0 }]) => {
    const times = results.ratio(title, column, "perSecond", label, reference ?? "");
    const text = `${timesOf(times)}  (${digits(perSecond)}/s)`;
    return { label, value: perSecond, text, strong: isOurs(label) };
  });
  const told = `${title}: ${column}, requests a second (× ${reference})`;
  return barPlot(`${title} ${column}`, told, rows);
}

function memory(part: Part, column: string, results: Results): Plot[] {
  const rows = subjectsIn(part, column, results).map(([label, { bytesEach = 0 }]) => ({
    label,
    value: Math.max(0, bytesEach),
    text: `${digits(bytesEach)} bytes`,
    strong: isOurs(label),
  }));
  return barPlot(part.title, `${part.title}: memory for each of ${column}`, rows);
}

function growing(part: Part, results: Results): Plot[] {
  const [first = ""] = part.columns;
  const series = part.subjects
    .map(({ name }) => ({
      label: name,
      points: part.columns.flatMap((column): [number, number][] => {
        const times = results.growth(part.title, "brokerCpu", name, column, first);
        return Number.isNaN(times) ? [] : [[Number(column.replaceAll(",", "")), times]];
      }),
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return [];
  const title = `${part.title}, the broker's CPU time a request (× that with one)`;
  const what = part.title.split(": ")[1] ?? "";
  return [{ file: fileOf(part.title), title, svg: lines(title, what, series) }];
}

function barPlot(name: string, title: string, rows: Bar[]): Plot[] {
  const sorted = rows.toSorted((one, other) => other.value - one.value);
  return rows.length === 0 ? [] : [{ file: fileOf(name), title, svg: bars(title, sorted) }];
}

const isOurs = (label: string) => /^(ours, )?(zmtp|libzmq)\b/.test(label);

/** "Growth: workers" becomes growth-workers.svg. */
export const fileOf = (name: string) =>
  `${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")}.svg`;
