// The terms of a call: the state that only a call with the option `wait` or `linger` has, or one with
// several callers. All other calls share USUAL_TERMS, so that they need no memory for it.

import type { CallOptions } from "../protocol/call-options.ts";
import type { Dialect } from "../protocol/dialects.ts";
import type { Address, Frame } from "../protocol/frame.ts";

/**
 * Where a reply goes: the client, its dialect, and the envelope before the header (28/REQREP).
 * `progress`: the client accepts progress.
 */
export type ReplyTo = { client: Address; dialect: Dialect; envelope: Frame[]; progress: boolean };

/** How long the callers of a call wait, and which callers wait with the latest one. */
export type CallTerms = {
  /** When it ends unless its service has had a worker since it arrived, in ms; or Infinity. */
  waitUntil: number;
  /** How long it stays open without a client, in ms. Infinity: until it expires. */
  lingerMs: number;
  /** When it ends unless a client retries it, in ms. Infinity: a client waits for it. */
  lingerUntil: number;
  /** The callers before the latest one, oldest first. They wait for the outcome too. */
  earlier: readonly ReplyTo[];
};

/** The first deadline of a call with these terms, in ms. */
export const deadlineOf = ({ expiresAt, terms }: { expiresAt: number; terms: CallTerms }) =>
  Math.min(expiresAt, terms.waitUntil, terms.lingerUntil);

/** The terms of a call with one caller and neither option. */
export const USUAL_TERMS: Readonly<CallTerms> = {
  waitUntil: Infinity,
  lingerMs: Infinity,
  lingerUntil: Infinity,
  earlier: [],
};

/** The terms of a new call. `workers` is the number that its service has. */
export function termsOf(
  { wait, linger }: CallOptions,
  workers: number,
  now: number,
): Readonly<CallTerms> {
  if (wait === undefined && linger === undefined) return USUAL_TERMS;
  const waitUntil = wait === undefined || workers > 0 ? Infinity : now + wait;
  return { ...USUAL_TERMS, waitUntil, lingerMs: linger ?? Infinity };
}

/**
 * The terms after a retry. It may put off the end of `wait`, as of the ttl, and never brings it
 * forward. Its `linger` replaces the one before.
 */
export function termsAfterRetry(
  { wait, linger }: CallOptions,
  terms: Readonly<CallTerms>,
  now: number,
): Readonly<CallTerms> {
  if (wait === undefined && linger === undefined && terms === USUAL_TERMS) return terms;
  const waitUntil = wait === undefined ? Infinity : Math.max(terms.waitUntil, now + wait);
  return { ...terms, waitUntil, lingerMs: linger ?? Infinity, lingerUntil: Infinity };
}
