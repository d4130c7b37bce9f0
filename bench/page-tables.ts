// The tables of the page.

import { markdown } from "../e2e/document.ts";
import type { Verdict } from "./goals.ts";
import type { Results } from "./results.ts";
import type { Section } from "./section.ts";

/** The tables of a section, in Markdown. */
export function tablesOf(section: Section, results: Results): string {
  switch (section.view) {
    case "load":
      return section.columns.map((column) => loadTable(section, column, results)).join("\n\n");
    case "growth":
      return growthTable(section, results);
    case "depth":
      return depthTable(section, results);
    case "idle":
      return idleTable(section, results);
  }
}

/** A row per goal: its bound, the measured value, and whether it is met. */
export function goalsTable(verdicts: Verdict[]): string {
  const rows = verdicts.map(({ title, unit, bound, value, met }) => [
    title,
    "least" in bound ? `≥ ${bound.least} ${unit}` : `≤ ${bound.most} ${unit}`,
    met === null ? "not measured" : `${digits(value)} ${unit}`,
    met === null ? "–" : met ? "yes" : "**no**",
  ]);
  return markdown(["Goal", "To reach", "Measured", "Met"], rows);
}

function loadTable(section: Section, column: string, results: Results): string {
  const { title, reference } = section;
  const measured = entriesIn(section, column, results).map(([system, sample]) => {
    const times = results.ratio(title, column, "perSecond", system, reference ?? "");
    const { perSecond, p50, p99, p999, brokerCpu, workersCpu, clientCpu } = sample;
    const figures = [
      ...[perSecond, p50, p99, p999].map(digits),
      ...[brokerCpu || undefined, workersCpu, clientCpu].map(digits), // gRPC has no broker.
    ];
    const { clientBusy = 0, brokerBytes = 0, workersBytes = 0, clientBytes = 0 } = sample;
    const memory = [brokerBytes, workersBytes, clientBytes].map(mb);
    return {
      times: Number.isNaN(times) ? 0 : times,
      row: [system, `**${timesOf(times)}**`, ...figures, percent(clientBusy), ...memory],
    };
  });
  const rows = measured.toSorted((one, other) => other.times - one.times);
  const head = [column, `× ${reference}`, "requests/s", "p50 µs", "p99 µs", "p99.9 µs"];
  const cpu = ["broker CPU µs", "workers CPU µs", "client CPU µs", "client's core"];
  const memory = ["broker MB", "workers MB", "client MB"];
  return markdown(
    [...head, ...cpu, ...memory],
    rows.map(({ row }) => row),
  );
}

function growthTable(section: Section, results: Results): string {
  const [first = ""] = section.columns;
  const rows = section.entries.map(({ name }) => [
    name,
    ...section.columns.map((column) => {
      const sample = results.medians(section.title, column, name);
      const times = results.growth(section.title, "brokerCpu", name, column, first);
      return sample ? `**${timesOf(times)}** (${digits(sample.brokerCpu)} µs)` : "–";
    }),
  ]);
  return markdown(["", ...section.columns], rows);
}

function depthTable(section: Section, results: Results): string {
  const rows = section.columns.flatMap((column) =>
    entriesIn(section, column, results).map(([system, sample]) => {
      const { bytesPerRequest, enqueued, delivered, before = 0, full = 0, after = 0 } = sample;
      const memory = [before, full, after].map(mb);
      return [
        system,
        column,
        digits(bytesPerRequest),
        digits(enqueued),
        digits(delivered),
        ...memory,
      ];
    }),
  );
  const rates = ["enqueued/s", "delivered/s"];
  return markdown(
    ["", "Queued", "bytes per request", ...rates, "MB before", "MB full", "MB after"],
    rows,
  );
}

function idleTable(section: Section, results: Results): string {
  const rows = section.columns.flatMap((column) =>
    entriesIn(section, column, results).map(([system, { core = 0, brokerBytes = 0 }]) => [
      system,
      column,
      percent(core),
      mb(brokerBytes),
    ]),
  );
  return markdown(["", "", "of a core", "broker MB"], rows);
}

/** The systems that were measured in a column, with their medians. */
export const entriesIn = ({ title, entries }: Section, column: string, results: Results) =>
  entries.flatMap(({ name }) => {
    const sample = results.medians(title, column, name);
    return sample ? [[name, sample] as const] : [];
  });

/** A number with three digits, or with all digits before the point if it has more. */
export function digits(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  const fraction = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: fraction });
}

export const timesOf = (ratio: number) => (Number.isNaN(ratio) ? "–" : `${digits(ratio)} ×`);

const percent = (section: number) => `${digits(section * 100)} %`;
const mb = (bytes: number) => (bytes === 0 ? "–" : digits(bytes / 1e6));
