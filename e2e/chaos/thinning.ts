// Which requests a page draws, since a browser does not stand all of a long run.

import type { Ended, Requests } from "./requests.ts";

/** An answer that takes as long is slow: each of these is drawn, and each of what was not answered. */
export const SLOW_MS = 250;

const QUICK_MAX = 40_000;

export type Drawn = {
  dots: Ended[]; // In the order of their starts.
  quick: number; // Answers that are not slow.
  every: number; // One of so many of these is drawn.
};

export function thinOut(requests: Requests, quickMax = QUICK_MAX): Drawn {
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

const isQuick = ({ outcome, latencyMs }: Ended) => outcome === "answered" && latencyMs < SLOW_MS;
