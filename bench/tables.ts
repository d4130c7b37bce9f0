// The tables of the page.

import { markdown } from "../e2e/document.ts";
import type { Verdict } from "./goals.ts";
import type { Part } from "./part.ts";
import type { Results } from "./results.ts";

/** The tables of a part, in Markdown. */
export function tablesOf(part: Part, results: Results): string {
  switch (part.view) {
    case "load":
      return part.columns.map((column) => loadTable(part, column, results)).join("\n\n");
    case "growth":
      return growthTable(part, results);
    case "depth":
      return depthTable(part, results);
    case "idle":
      return idleTable(part, results);
  }
}

export function goalsTable(verdicts: Verdict[]): string {
  const rows = verdicts.map(({ what, unit, bound, value, met }) => [
    what,
    "least" in bound ? `≥ ${bound.least} ${unit}` : `≤ ${bound.most} ${unit}`,
    met === null ? "not measured" : `${digits(value)} ${unit}`,
    met === null ? "–" : met ? "yes" : "**no**",
  ]);
  return markdown(["Goal", "To reach", "Measured", "Met"], rows);
}

function loadTable(part: Part, column: string, results: Results): string {
  const { title, reference } = part;
  const measured = subjectsIn(part, column, results).map(([subject, sample]) => {
    const times = results.ratio(title, column, "perSecond", subject, reference ?? "");
    const { perSecond, p50, p99, p999, brokerCpu, workersCpu, clientCpu } = sample;
    const figures = [
      ...[perSecond, p50, p99, p999].map(digits),
      ...[brokerCpu || undefined, workersCpu, clientCpu].map(digits), // Not all have a broker.
    ];
    const { clientBusy = 0, brokerBytes = 0, workersBytes = 0, clientBytes = 0 } = sample;
    const memory = [brokerBytes, workersBytes, clientBytes].map(mb);
    return {
      perSecond: perSecond ?? 0,
      row: [subject, `**${timesOf(times)}**`, ...figures, percent(clientBusy), ...memory],
    };
  });
  const rows = measured.toSorted((one, other) => other.perSecond - one.perSecond);
  const head = [column, `× ${reference}`, "requests/s", "p50 µs", "p99 µs", "p99.9 µs"];
  const cpu = ["broker CPU µs", "workers CPU µs", "client CPU µs", "client's core"];
  const memory = ["broker MB", "workers MB", "client MB"];
  return markdown(
    [...head, ...cpu, ...memory],
    rows.map(({ row }) => row),
  );
}

function growthTable(part: Part, results: Results): string {
  const [first = ""] = part.columns;
  const rows = part.subjects.map(({ name }) => [
    name,
    ...part.columns.map((column) => {
      const sample = results.medians(part.title, column, name);
      const times = results.growth(part.title, "brokerCpu", name, column, first);
      return sample ? `**${timesOf(times)}** (${digits(sample.brokerCpu)} µs)` : "–";
    }),
  ]);
  return markdown(["", ...part.columns], rows);
}

function depthTable(part: Part, results: Results): string {
  const rows = part.columns.flatMap((column) =>
    subjectsIn(part, column, results).map(([subject, sample]) => {
      const { bytesEach, takenIn, givenOut, before = 0, full = 0, after = 0 } = sample;
      const memory = [before, full, after].map(mb);
      return [subject, column, digits(bytesEach), digits(takenIn), digits(givenOut), ...memory];
    }),
  );
  const speeds = ["taken in /s", "given out /s"];
  return markdown(
    ["", "Queued", "bytes each", ...speeds, "MB before", "MB full", "MB after"],
    rows,
  );
}

function idleTable(part: Part, results: Results): string {
  const rows = part.columns.flatMap((column) =>
    subjectsIn(part, column, results).map(([subject, { core = 0, brokerBytes = 0 }]) => [
      subject,
      column,
      percent(core),
      mb(brokerBytes),
    ]),
  );
  return markdown(["", "", "of one core", "broker MB"], rows);
}

/** Those of a part that were measured in a column, with their medians. */
export const subjectsIn = ({ title, subjects }: Part, column: string, results: Results) =>
  subjects.flatMap(({ name }) => {
    const sample = results.medians(title, column, name);
    return sample ? [[name, sample] as const] : [];
  });

/** Three digits, or all that stand before the point. */
export function digits(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  const fraction = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: fraction });
}

export const timesOf = (ratio: number) => (Number.isNaN(ratio) ? "–" : `${digits(ratio)} ×`);

const percent = (part: number) => `${digits(part * 100)} %`;
const mb = (bytes: number) => (bytes === 0 ? "–" : digits(bytes / 1e6));
