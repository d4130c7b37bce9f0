// The result of a run as text, for a terminal.

import { count, digits, elapsed } from "../../clients/load/format.ts";
import { textTable } from "../../clients/load/text-table.ts";
import type { ChaosResult } from "./chaos-result.ts";
import { FAULT_KINDS, SERVICES, type Service } from "./fault-schedule.ts";
import { errorCounts, findings } from "./findings.ts";
import type { Measurement } from "./recovery-times.ts";
import { durationText } from "./settings.ts";

/** The command that replays the same schedule of faults. */
export const replay = ({ seed, durationMs }: Pick<ChaosResult, "seed" | "durationMs">) =>
  `SEED=${seed} DURATION=${durationText(durationMs)} make chaos`;

export function report(result: ChaosResult): string {
  return [
    heading(result),
    faultsTable(result),
    requestsTable(result),
    timesTable(result),
    notes(result),
    verdictOf(result),
    `Replay: ${replay(result)}`,
  ].join("\n\n");
}

/** One sentence: passed or failed, with all error counts. */
export function sentence(result: ChaosResult): string {
  const { requests, faults } = result;
  const sent = sum(Object.values(requests.sent));
  const errors = Object.entries(errorCounts(result)).map(
    ([name, number]) => `${name} ${count(number)}`,
  );
  const passed = findings(result).length === 0 ? "Passed" : "Failed";
  return `${passed}: ${count(sent)} requests, ${count(faults.length)} faults: ${errors.join(", ")}.`;
}

export function heading(result: ChaosResult): string {
  const { seed, durationMs, machine, startedAt, healedAt, endedAt, unsupported, interrupted } =
    result;
  const { registered, total } = result.workers;
  const seconds = (ms: number) => elapsed(ms / 1000);
  return [
    `Seed ${seed}, ${seconds(durationMs)}${interrupted ? ", interrupted" : ""}; ${machine}.`,
    `${registered === total ? "All" : `${registered} of ${total}`} workers were registered ` +
      `${seconds(healedAt - startedAt)} after the first request; every request had its outcome ` +
      `${seconds(endedAt - healedAt)} later.`,
    ...(unsupported.length > 0
      ? [`Not injected, because this machine cannot: ${unsupported.join(", ")}.`]
      : []),
  ].join("\n");
}

function faultsTable({ faults }: ChaosResult): string {
  const of = (kind: string | null, broker: boolean) =>
    faults.filter(
      (fault) => (kind === null || fault.kind === kind) && (fault.target === "broker") === broker,
    ).length;
  const cells = (name: string, kind: string | null) => {
    const [worker, broker] = [of(kind, false), of(kind, true)];
    return [name, ...[worker, broker, worker + broker].map(count)];
  };
  return textTable(
    ["faults", "workers", "broker", "all"],
    [...FAULT_KINDS.map((kind) => cells(kind, kind)), cells("total", null)],
  );
}

function requestsTable({ requests }: ChaosResult): string {
  const cells = (name: string, sent: number, service?: Service) => {
    const latency = requests.latency(service);
    const outcomes = (["answered", "refused", "lost", "wrong"] as const).map((outcome) =>
      count(requests.count(outcome, service)),
    );
    const times = latency ? Object.values(latency).map(digits) : ["–", "–", "–"];
    return [name, count(sent), ...outcomes, ...times];
  };
  return textTable(
    ["requests", "sent", "answered", "refused", "lost", "wrong", "p50 ms", "p99 ms", "max ms"],
    [
      ...SERVICES.map((service) => cells(service, requests.sent[service], service)),
      cells("total", sum(Object.values(requests.sent))),
    ],
  );
}

function timesTable({ removals, workerRecoveries, brokerRecoveries }: ChaosResult): string {
  const isKilled = ({ kind }: Measurement) => kind === "killed";
  const rows: [string, Measurement[]][] = [
    ["killed worker removed", removals.filter(isKilled)],
    ["silent worker removed", removals.filter((one) => !isKilled(one))],
    ["worker registered again", workerRecoveries],
    ["all registered again after a broker fault", brokerRecoveries],
  ];
  return textTable(
    ["times in ms", "count", "median", "max"],
    rows.map(([name, measured]) => [name, count(measured.length), ...medianAndMax(measured)]),
  );
}

export function medianAndMax(measured: Measurement[]): string[] {
  const sorted = measured.map(({ ms }) => ms).sort((one, other) => one - other);
  const median = sorted[Math.ceil(sorted.length / 2) - 1];
  const most = sorted.at(-1);
  return median === undefined || most === undefined ? ["–", "–"] : [digits(median), digits(most)];
}

function notes(result: ChaosResult): string {
  const { redelivered, executedAgain, clientCounters, verdict } = result;
  return [
    `Redelivered by the broker: ${count(redelivered)}. Sent again by clients: ` +
      `${count(clientCounters.resent)}.`,
    `Executed more than once: ${count(executedAgain)} of ${count(verdict.asked)} requests to slow.`,
    ...brokerCounts(result),
  ].join("\n");
}

function brokerCounts({ counts }: ChaosResult): string[] {
  if (!counts) return [];
  const { received, answered, refused, expired, quarantined, cancelled, clientGone } = counts;
  const { queued, inFlight } = counts;
  return [
    `Counts of the broker since its last start: received ${count(received)} =`,
    `  answered ${count(answered)} + refused ${refused} + expired ${expired} + ` +
      `quarantined ${quarantined} + cancelled ${cancelled} + client gone ${clientGone} + queued ${queued} + in flight ${inFlight}`,
  ];
}

function verdictOf(result: ChaosResult): string {
  const found = findings(result);
  const shown = found.slice(0, FINDINGS_SHOWN).map((finding) => `  ${finding}`);
  const more =
    found.length > FINDINGS_SHOWN ? [`  and ${count(found.length - FINDINGS_SHOWN)} more`] : [];
  return [sentence(result), ...shown, ...more].join("\n");
}

const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);

const FINDINGS_SHOWN = 20;
