// The findings of a run: everything that must not happen, one sentence each. No finding means passed.

import { count } from "../../clients/load/format.ts";
import { leaseMs } from "../../protocol/heartbeat.ts";
import type { ChaosResult } from "./chaos-result.ts";
import { HEARTBEAT, SERVICES } from "./fault-schedule.ts";
import type { Measurement } from "./recovery-times.ts";

/** The counts that must all be 0. */
export function errorCounts({ requests, clientCounters, verdict }: ChaosResult) {
  return {
    lost: requests.count("lost") + verdict.lost,
    duplicated: clientCounters.duplicate + verdict.duplicated,
    misrouted: verdict.misrouted,
    wrong: requests.count("wrong"),
    unexpected: verdict.unexpected,
    refused: requests.count("refused"),
  };
}

export function findings(result: ChaosResult): string[] {
  const { requests, verdict, workers, errors } = result;
  const silent = SERVICES.filter(
    (service) => requests.sent[service] > 0 && requests.count("answered", service) === 0,
  );
  return [
    ...Object.entries(errorCounts(result))
      .filter(([, number]) => number > 0)
      .map(([name, number]) => `${count(number)} ${name}`),
    ...silent.map((service) => `${service} answered no request`),
    ...(workers.registered === workers.total
      ? []
      : [`only ${workers.registered} of ${workers.total} workers registered after the last fault`]),
    ...countErrors(result),
    ...weakness(result),
    ...lateness(result),
    ...errors,
    ...result.examples,
    ...verdict.violations,
  ];
}

/** A run without the effect of a fault proves nothing. */
function weakness({
  faults,
  removals,
  workerRecoveries,
  brokerRecoveries,
  redelivered,
}: ChaosResult) {
  if (faults.length === 0) return ["no fault was injected"];
  const effects = removals.length + workerRecoveries.length + brokerRecoveries.length + redelivered;
  return effects > 0 ? [] : [`none of ${faults.length} faults had an effect`];
}

/** Removals and recoveries that took longer than their bound. */
function lateness({ removals, workerRecoveries, brokerRecoveries }: ChaosResult): string[] {
  const late = (event: string, mostMs: number) => (one: Measurement) =>
    one.ms <= mostMs
      ? []
      : [
          `${one.target} ${one.kind}: ${event} after ${count(one.ms)} ms, more than ${count(mostMs)}`,
        ];
  const recovered = late("registered again", RECOVERY_MS_MAX);
  return [
    ...removals.flatMap(late("removed", REMOVAL_MS_MAX)),
    ...workerRecoveries.flatMap(recovered),
    ...brokerRecoveries.flatMap(recovered),
  ];
}

/** A lease, and the slack of a machine that injects faults into ten containers, in ms. */
const REMOVAL_MS_MAX = leaseMs(HEARTBEAT) + 5000;

/** The longest time from the end of a fault to a new registration, in ms. */
const RECOVERY_MS_MAX = 30_000;

/** The broker's conservation law: every received request is in exactly one other count. */
function countErrors({ counts }: ChaosResult): string[] {
  if (!counts) return ["the broker did not answer after the last fault"];
  const {
    received,
    answered,
    refused,
    expired,
    quarantined,
    cancelled,
    clientGone,
    queued,
    inFlight,
  } = counts;
  const sum =
    answered + refused + expired + quarantined + cancelled + clientGone + queued + inFlight;
  return [
    ...(sum === received
      ? []
      : [`the broker received ${received} requests, but its other counts add up to ${sum}`]),
    ...(queued === 0 ? [] : [`${queued} requests are still queued in the broker`]),
    ...(inFlight === 0 ? [] : [`${inFlight} requests are still in flight in the broker`]),
  ];
}
