// The wait of a peer before it connects again. Each failure doubles the wait, and half of it is
// random, so that a hundred workers do not all return to a new broker in the same ms.

const FIRST_MS = 100;
const LONGEST_MS = 5000;

/**
 * The wait in ms after this many failures in a row: 50 to 100 ms after none, 2.5 to 5 s at most.
 * `random` is a number from 0 (inclusive) to 1 (exclusive).
 */
export function backoffMs(failures: number, random: number): number {
  const longest = Math.min(FIRST_MS * 2 ** failures, LONGEST_MS);
  return longest / 2 + (longest / 2) * random;
}
