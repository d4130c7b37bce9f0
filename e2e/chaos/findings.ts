// What should not have happened in a run, in sentences: a run without any has passed.

import { count } from "../../clients/load/format.ts";
import type { Facts } from "./facts.ts";
import { SERVICES } from "./schedule.ts";

/** The counts that are to be nothing. */
export function wrongs({ requests, strays, verdict }: Facts) {
  return {
    lost: requests.count("lost") + verdict.lost,
    duplicated: strays.duplicate + verdict.duplicated,
    misrouted: verdict.misrouted,
    wrong: requests.count("wrong"),
    unexpected: verdict.unexpected,
    refused: requests.count("refused"),
  };
}

export function findings(facts: Facts): string[] {
  const { requests, verdict, workers, troubles } = facts;
  const silent = SERVICES.filter(
    (service) => requests.asked[service] > 0 && requests.count("answered", service) === 0,
  );
  return [
    ...Object.entries(wrongs(facts))
      .filter(([, number]) => number > 0)
      .map(([what, number]) => `${count(number)} ${what}`),
    ...silent.map((service) => `no request to ${service} was answered`),
    ...(workers.back === workers.of
      ? []
      : [`${workers.back} of ${workers.of} workers were registered in the end`]),
    ...account(facts),
    ...troubles,
    ...facts.examples,
    ...verdict.violations,
  ];
}

/** The broker's conservation law: what came in has come out. */
function account({ counts }: Facts): string[] {
  if (!counts) return ["the broker did not answer in the end"];
  const { received, answered, refused, expired, quarantined, clientGone, queued, inFlight } =
    counts;
  const sum = answered + refused + expired + quarantined + clientGone + queued + inFlight;
  return [
    ...(sum === received ? [] : [`the broker received ${received} and accounts for ${sum}`]),
    ...(queued === 0 ? [] : [`${queued} are still queued in the broker`]),
    ...(inFlight === 0 ? [] : [`${inFlight} are still in flight in the broker`]),
  ];
}
