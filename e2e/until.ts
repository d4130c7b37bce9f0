// Waiting, with a deadline.

import { setTimeout } from "node:timers/promises";

/** Resolves as soon as it is so. */
export async function until(what: string, holds: () => boolean | Promise<boolean>) {
  const deadline = performance.now() + patienceMs();
  while (!(await holds())) {
    if (performance.now() >= deadline) throw disappointed(`waited in vain for ${what}`);
    await setTimeout(5);
  }
}

/** Long enough for a busy machine. Who has kept us waiting in vain so often is not just slow. */
export const patienceMs = () => (disappointments < 5 ? 20_000 : 1000);
let disappointments = 0;

export function disappointed(message: string): Error {
  disappointments += 1;
  return new Error(message);
}
