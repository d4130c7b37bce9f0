// The report of a run as text for a terminal of 80 columns.

import { count, digits, elapsed } from "./format.ts";
import type { Bucket, Latency, Report, Row } from "./report.ts";
import { textTable } from "./text-table.ts";

/** Returns the report as text: a heading, tables, notes and the verdict. */
export function reportText(report: Report): string {
  return [
    heading(report),
    countsTable(report),
    latencyTable(report),
    latencyBars(report.latencyHistogram),
    notes(report),
    report.verdict,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function heading({ options, answeredPerSecond, startedAt, stoppedAt }: Report): string {
  const { broker, outstanding, ratePerSecond: rate } = options;
  const load =
    rate === null
      ? `${count(outstanding)} outstanding requests`
      : `${count(rate)} requests per second`;
  const seconds = (stoppedAt.getTime() - startedAt.getTime()) / 1000;
  const answered = `${count(Math.round(answeredPerSecond))} answered per second`;
  return `${load} to ${broker} for ${elapsed(seconds)}: ${answered}`;
}

function countsTable({ services, total }: Report): string {
  const cells = (name: string, row: Row, duplicated: string) => [
    name,
    ...[row.sent, row.answered, row.refused, row.timedOut, row.lost].map(count),
    duplicated,
    count(row.wrong),
  ];
  return textTable(
    ["requests", "sent", "answered", "refused", "timed out", "lost", "duplicated", "wrong"],
    [
      ...Object.entries(services).map(([name, row]) => cells(name, row, "–")),
      cells("total", total, count(total.duplicated)),
    ],
  );
}

function latencyTable({ services, total }: Report): string {
  const cells = (name: string, latency: Latency | null) => [
    name,
    ...(latency ? Object.values(latency).map(digits) : ["–", "–", "–", "–", "–"]),
  ];
  return textTable(
    ["latency in ms", "p50", "p90", "p99", "p99.9", "max"],
    [
      ...Object.entries(services).map(([name, row]) => cells(name, row.latencyMs)),
      cells("total", total.latencyMs),
    ],
  );
}

function latencyBars(buckets: Bucket[]): string {
  if (buckets.length === 0) return "";
  const most = Math.max(...buckets.map(({ count }) => count));
  const rows = buckets.map((bucket) => [
    `${edge(bucket.fromMs)} – ${edge(bucket.toMs)}`,
    count(bucket.count),
    bar(bucket.count / most),
  ]);
  return textTable(["latency in ms", "replies", ""], rows, ["right", "right", "left"]);
}

/** Returns a bar whose length is the share; a share above 0 has at least an eighth of a block. */
function bar(share: number): string {
  const eighths = Math.ceil(share * BAR_WIDTH * 8);
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}

function notes({ total, examples, resent, lateReplies, notStarted, options }: Report): string {
  const lines = examples.map(
    ({ service, outcome, reason }) => `${outcome} (${service}): ${reason}`,
  );
  if (total.unfinished > 0)
    lines.push(
      `${count(total.unfinished)} requests were unfinished: the wait for them was cut off.`,
    );
  if (resent > 0)
    lines.push(
      `${count(resent)} requests were sent again: the broker was silent, gone or shutting down.`,
    );
  if (lateReplies > 0)
    lines.push(`${count(lateReplies)} replies arrived after their requests had timed out.`);
  if (notStarted > 0) {
    const limit = `the limit of ${count(options.outstanding)} outstanding requests`;
    lines.push(`${count(notStarted)} requests did not start on time because of ${limit}.`);
  }
  return lines.join("\n");
}

const edge = (ms: number) => ms.toLocaleString("en-US");

const BAR_WIDTH = 40;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
