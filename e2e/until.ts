// Waits for a condition, with a deadline.

import { setTimeout } from "node:timers/promises";

/** Resolves as soon as `holds` returns true; rejects after `limitMs`. */
export async function until(
  condition: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = waitLimitMs(),
) {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() >= deadline) throw timedOut(`timed out while waiting for ${condition}`);
    await setTimeout(5);
  }
}

/**
 * The longest wait for one condition, in ms. It suits a busy machine. After five timeouts the subject
 * is broken, not slow, so the limit shrinks and the suite ends early.
 */
export const waitLimitMs = () => (timeouts < 5 ? 60_000 : 1000);
let timeouts = 0;

/** The error of a wait that timed out; counts the timeout. */
export function timedOut(message: string): Error {
  timeouts += 1;
  return new Error(message);
}
