// The report of a run for people, as text for a terminal of 80 columns.

import { count, digits, elapsed } from "./format.ts";
import type { Bucket, Latency, Report, Row } from "./report.ts";
import { table } from "./table.ts";

export function page(report: Report): string {
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
    rate === null ? `${count(outstanding)} requests at a time` : `${count(rate)} requests a second`;
  const seconds = (stoppedAt.getTime() - startedAt.getTime()) / 1000;
  const answered = `${count(Math.round(answeredPerSecond))} answered a second`;
  return `${load} to ${broker} for ${elapsed(seconds)}: ${answered}`;
}

function countsTable({ services, total }: Report): string {
  const cells = (name: string, row: Row, duplicated: string) => [
    name,
    ...[row.sent, row.answered, row.refused, row.timedOut, row.lost].map(count),
    duplicated,
    count(row.wrong),
  ];
  return table(
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
  return table(
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
  return table(["latency in ms", "replies", ""], rows, ["right", "right", "left"]);
}

/** As long as the share; any share at all shows. */
function bar(share: number): string {
  const eighths = Math.ceil(share * BAR_WIDTH * 8);
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}

function notes({ examples, resent, lateReplies, notStarted, options }: Report): string {
  const lines = examples.map(
    ({ service, outcome, reason }) => `${outcome} (${service}): ${reason}`,
  );
  if (resent > 0)
    lines.push(
      `${count(resent)} requests were sent again: the broker was silent, gone or closing.`,
    );
  if (lateReplies > 0)
    lines.push(`${count(lateReplies)} replies came after their request had timed out.`);
  if (notStarted > 0) {
    const most = `at most ${count(options.outstanding)} may be outstanding`;
    lines.push(`${count(notStarted)} requests were due and not started, since ${most}.`);
  }
  return lines.join("\n");
}

const edge = (ms: number) => ms.toLocaleString("en-US");

const BAR_WIDTH = 40;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
