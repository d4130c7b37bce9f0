// How long the records of requests are kept, and whether that is long enough for calls.

/**
 * The bounds of the records: for `recordsMs` ms, those of the newest `recordsMax` requests, and about
 * `recordsBytesMax` bytes. One half of the bytes is for the records with up to KEPT_BYTES_MAX of each
 * outcome, the other half for the rest of larger outcomes.
 */
export type Retention = { recordsMs: number; recordsMax: number; recordsBytesMax: number };

/** A request has at most this many records: one under the broker's id, one under that of its call. */
export const NAMES_MAX = 2;

/** A larger outcome may be dropped before its record is, in bytes. */
export const KEPT_BYTES_MAX = 1024;

/** The bytes of a record without its id and its outcome: the other columns and the indexes. */
export const RECORD_BYTES = 150;

/** The outcome of a record whose own one was dropped. The record still makes the effect happen once. */
export const DROPPED = {
  code: 410,
  reply: "the command was executed under this id, but its outcome is not stored any more",
} as const;

/** More changes per second than any database made in our measurements. */
const PER_SECOND = 5000;

/** The bytes of a small record with its id. */
const SMALL_BYTES = 300;

/**
 * Returns a sentence if records may go before a call of `ttlMs` ms has ended, and so execute a retry
 * of it again. Returns null if they cover such a call at 5,000 changes per second.
 */
export function shortness(
  { recordsMs, recordsMax, recordsBytesMax }: Retention,
  ttlMs: number,
): string | null {
  if (recordsMs < ttlMs) return `MDP_DB_RECORDS_MS=${recordsMs} is less than ${calls(ttlMs)}`;
  const byBytes = Math.floor(recordsBytesMax / 2 / NAMES_MAX / SMALL_BYTES);
  const [setting, requests] =
    byBytes < recordsMax
      ? [`MDP_DB_RECORDS_BYTES_MAX=${recordsBytesMax}`, byBytes]
      : [`MDP_DB_RECORDS_MAX=${recordsMax}`, recordsMax];
  const perSecond = Math.floor((requests * 1000) / ttlMs);
  if (perSecond >= PER_SECOND) return null;
  return `${setting} covers ${calls(ttlMs)} up to ${perSecond} changes per second`;
}

/** Calls of this ttl, in sentences. */
export const calls = (ttlMs: number) => `calls of MDP_REQUEST_TTL_MS=${ttlMs}`;
