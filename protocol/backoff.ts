// How long a peer waits before it connects again. Each failure doubles the wait, and half of it is
// left to chance, so that a hundred workers do not all return to a new broker in the same ms.

const FIRST_MS = 100;
const LONGEST_MS = 5000;

/**
 * The wait in ms after so many failures in a row, the first being 0.
 * `random` is a number from 0 up to 1.
 */
export function backoffMs(failures: number, random: number): number {
  const longest = Math.min(FIRST_MS * 2 ** failures, LONGEST_MS);
  return longest / 2 + (longest / 2) * random;
}
