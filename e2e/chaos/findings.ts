// The findings of a run: everything that must not happen, one sentence each. No finding means passed.

import { count } from "../../clients/load/format.ts";
import type { ChaosResult } from "./chaos-result.ts";
import { SERVICES } from "./fault-schedule.ts";

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
    ...errors,
    ...result.examples,
    ...verdict.violations,
  ];
}

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
