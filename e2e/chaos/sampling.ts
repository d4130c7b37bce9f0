// Selects the requests that the timeline draws: a browser cannot draw all requests of a long run.

import type { EndedRequest, RequestLog } from "./request-log.ts";

/** The latency of a slow request. The timeline draws every slow and every unanswered request. */
export const SLOW_MS = 250;

const QUICK_MAX = 40_000;

export type Sample = {
  /** The selected requests, in the order of their starts. */
  dots: EndedRequest[];
  /** The number of quick requests: answered within SLOW_MS. */
  quick: number;
  /** The sample has one in `every` quick requests. */
  every: number;
};

export function sampleDots(requests: RequestLog, quickMax = QUICK_MAX): Sample {
  const quick = [...requests].filter(isQuick).length;
  const every = Math.max(Math.ceil(quick / quickMax), 1);
  let passed = 0;
  const dots = [...requests].filter((ended) => {
    if (!isQuick(ended)) return true;
    passed += 1;
    return passed % every === 0;
  });
  return { dots: dots.sort((one, other) => one.at - other.at), quick, every };
}

const isQuick = ({ outcome, latencyMs }: EndedRequest) =>
  outcome === "answered" && latencyMs < SLOW_MS;
