// A run as text, for a terminal.

import { count, digits, elapsed } from "../../clients/load/format.ts";
import { table } from "../../clients/load/table.ts";
import type { Facts } from "./facts.ts";
import { findings, wrongs } from "./findings.ts";
import type { Measured } from "./recovery.ts";
import { KINDS, SERVICES, type Service } from "./schedule.ts";
import { durationText } from "./settings.ts";

/** The command that runs the same schedule again. */
export const replay = ({ seed, durationMs }: Pick<Facts, "seed" | "durationMs">) =>
  `SEED=${seed} DURATION=${durationText(durationMs)} make chaos`;

export function report(facts: Facts): string {
  return [
    heading(facts),
    faultsTable(facts),
    requestsTable(facts),
    timesTable(facts),
    notes(facts),
    verdictOf(facts),
    `Replay: ${replay(facts)}`,
  ].join("\n\n");
}

/** One sentence that says whether all is well. */
export function sentence(facts: Facts): string {
  const { requests, faults } = facts;
  const asked = sum(Object.values(requests.asked));
  const wrong = Object.entries(wrongs(facts)).map(([what, number]) => `${what} ${count(number)}`);
  const passed = findings(facts).length === 0 ? "Passed" : "Failed";
  return `${passed}: ${count(asked)} requests, ${count(faults.length)} faults: ${wrong.join(", ")}.`;
}

export function heading(facts: Facts): string {
  const { seed, durationMs, machine, startedAt, healedAt, endedAt, leftOut, interrupted } = facts;
  const { back, of } = facts.workers;
  const seconds = (ms: number) => elapsed(ms / 1000);
  return [
    `Seed ${seed}, ${seconds(durationMs)}${interrupted ? ", interrupted" : ""}; ${machine}.`,
    `${back === of ? "All" : `${back} of ${of}`} workers were back ${seconds(healedAt - startedAt)} after ` +
      `the first request, and every request had its outcome ${seconds(endedAt - healedAt)} later.`,
    ...(leftOut.length > 0 ? [`Left out, since this machine cannot: ${leftOut.join(", ")}.`] : []),
  ].join("\n");
}

function faultsTable({ faults }: Facts): string {
  const of = (kind: string | null, broker: boolean) =>
    faults.filter(
      (fault) => (kind === null || fault.kind === kind) && (fault.target === "broker") === broker,
    ).length;
  const cells = (name: string, kind: string | null) => {
    const [worker, broker] = [of(kind, false), of(kind, true)];
    return [name, ...[worker, broker, worker + broker].map(count)];
  };
  return table(
    ["faults", "workers", "broker", "all"],
    [...KINDS.map((kind) => cells(kind, kind)), cells("total", null)],
  );
}

function requestsTable({ requests }: Facts): string {
  const cells = (name: string, asked: number, service?: Service) => {
    const latency = requests.latency(service);
    const outcomes = (["answered", "refused", "lost", "wrong"] as const).map((outcome) =>
      count(requests.count(outcome, service)),
    );
    const times = latency ? Object.values(latency).map(digits) : ["–", "–", "–"];
    return [name, count(asked), ...outcomes, ...times];
  };
  return table(
    ["requests", "asked", "answered", "refused", "lost", "wrong", "p50 ms", "p99 ms", "max ms"],
    [
      ...SERVICES.map((service) => cells(service, requests.asked[service], service)),
      cells("total", sum(Object.values(requests.asked))),
    ],
  );
}

function timesTable({ purges, workerRecoveries, brokerRecoveries }: Facts): string {
  const isKilled = ({ kind }: Measured) => kind === "killed";
  const rows: [string, Measured[]][] = [
    ["a killed worker was missed after", purges.filter(isKilled)],
    ["a silent worker was missed after", purges.filter((one) => !isKilled(one))],
    ["a worker was back after", workerRecoveries],
    ["after the broker, all were back after", brokerRecoveries],
  ];
  return table(
    ["times in ms", "times", "median", "max"],
    rows.map(([name, measured]) => [name, count(measured.length), ...medianAndMax(measured)]),
  );
}

export function medianAndMax(measured: Measured[]): string[] {
  const sorted = measured.map(({ ms }) => ms).sort((one, other) => one - other);
  const median = sorted[Math.ceil(sorted.length / 2) - 1];
  const most = sorted.at(-1);
  return median === undefined || most === undefined ? ["–", "–"] : [digits(median), digits(most)];
}

function notes(facts: Facts): string {
  const { redelivered, executedAgain, strays, verdict } = facts;
  return [
    `Redelivered ${count(redelivered)}, asked again by their clients ${count(strays.resent)}. Of ` +
      `${count(verdict.asked)} requests to slow, ${count(executedAgain)} were executed again.`,
    ...account(facts),
  ].join("\n");
}

function account({ counts }: Facts): string[] {
  if (!counts) return [];
  const { received, answered, refused, expired, quarantined, clientGone } = counts;
  const { queued, inFlight } = counts;
  return [
    `The broker's account since its last start: received ${count(received)} =`,
    `  answered ${count(answered)} + refused ${refused} + expired ${expired} + ` +
      `quarantined ${quarantined} + client gone ${clientGone} + queued ${queued} + in flight ${inFlight}`,
  ];
}

function verdictOf(facts: Facts): string {
  const found = findings(facts);
  const shown = found.slice(0, FINDINGS_SHOWN).map((finding) => `  ${finding}`);
  const more =
    found.length > FINDINGS_SHOWN ? [`  and ${count(found.length - FINDINGS_SHOWN)} more`] : [];
  return [sentence(facts), ...shown, ...more].join("\n");
}

const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);

const FINDINGS_SHOWN = 20;
