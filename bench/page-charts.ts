// The charts of the page.

import { digits, entriesIn, timesOf } from "./page-tables.ts";
import type { Results } from "./results.ts";
import type { Section } from "./section.ts";
import { type Bar, bars, lines } from "./svg-charts.ts";

export type Chart = { file: string; title: string; svg: string };

/** The charts of a section. A chart without any measurement is left out. */
export function chartsOf(section: Section, results: Results): Chart[] {
  switch (section.view) {
    case "load":
      return section.columns.flatMap((column) => speedChart(section, column, results));
    case "growth":
      return growthChart(section, results);
    case "depth":
      return section.columns.slice(-1).flatMap((column) => memoryChart(section, column, results));
    case "idle":
      return [];
  }
}

function speedChart(section: Section, column: string, results: Results): Chart[] {
  const { title, reference } = section;
  const rows = entriesIn(section, column, results).map(([label, { perSecond = 0 }]) => {
    const times = results.ratio(title, column, "perSecond", label, reference ?? "");
    const text = `${timesOf(times)}  (${digits(perSecond)}/s)`;
    return { label, value: perSecond, text, strong: isOurs(label) };
  });
  const caption = `${title}: ${column}, requests per second (× ${reference})`;
  return barChart(`${title} ${column}`, caption, rows);
}

function memoryChart(section: Section, column: string, results: Results): Chart[] {
  const rows = entriesIn(section, column, results).map(([label, { bytesPerRequest = 0 }]) => ({
    label,
    value: Math.max(0, bytesPerRequest),
    text: `${digits(bytesPerRequest)} bytes`,
    strong: isOurs(label),
  }));
  return barChart(section.title, `${section.title}: memory per request, ${column} queued`, rows);
}

function growthChart(section: Section, results: Results): Chart[] {
  const [first = ""] = section.columns;
  const series = section.entries
    .map(({ name }) => ({
      label: name,
      points: section.columns.flatMap((column): [number, number][] => {
        const times = results.growth(section.title, "brokerCpu", name, column, first);
        return Number.isNaN(times) ? [] : [[Number(column.replaceAll(",", "")), times]];
      }),
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return [];
  const title = `${section.title}, the broker's CPU time per request (× that with one)`;
  const axisTitle = section.title.split(": ")[1] ?? "";
  return [{ file: fileOf(section.title), title, svg: lines(title, axisTitle, series) }];
}

function barChart(name: string, title: string, rows: Bar[]): Chart[] {
  const sorted = rows.toSorted((one, other) => other.value - one.value);
  return rows.length === 0 ? [] : [{ file: fileOf(name), title, svg: bars(title, sorted) }];
}

const isOurs = (label: string) => label.startsWith("ours, ");

/** A file name for a title: "Growth: workers" becomes growth-workers.svg. */
export const fileOf = (name: string) =>
  `${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")}.svg`;
