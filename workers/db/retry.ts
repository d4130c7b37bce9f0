// Retries work on a database that is busy or down, and turns its failures into error replies.

import { setTimeout as delay } from "node:timers/promises";
import { ServiceError } from "../worker.ts";
import type { DatabaseFailure, Engine } from "./engine.ts";

/** The longest delay before a retry, in ms; the actual delay is random. */
const RETRY_MS_MAX = { busy: 20, crowded: 200, down: 200 };

/**
 * How long to retry: `downMs` while the database is down, until `signal` aborts while it is busy
 * or crowded.
 */
export type RetryLimits = { downMs: number; signal: AbortSignal };

/**
 * The connection broke during a commit, so the transaction may be committed or not. Only the record
 * of its id shows which, so withRetry() retries until the signal aborts, as if the database were
 * busy.
 */
export class CommitInDoubt extends Error {}

/**
 * Runs `work`, again while a retry may help, and returns its result. Throws a ServiceError when the
 * retries end or cannot help: 503, or 500 for an unknown failure of the database. Rethrows an error
 * that is not the database's. Calls `onAttempt` after each attempt; null is success.
 */
export async function withRetry<T>(
  { failureOf }: Engine,
  { downMs, signal }: RetryLimits,
  onAttempt: (failure: DatabaseFailure | null) => void,
  work: () => Promise<T>,
): Promise<T> {
  const downUntil = performance.now() + downMs;
  let doubt: CommitInDoubt | null = null;
  for (;;) {
    try {
      const result = await work();
      onAttempt(null);
      return result;
    } catch (error) {
      if (error instanceof CommitInDoubt) doubt = error;
      const failure = doubt ? inDoubt(doubt) : failureOf(error);
      if (!failure || error instanceof ServiceError) throw error;
      onAttempt(failure);
      const { kind } = failure;
      if (kind !== "busy" && kind !== "crowded" && kind !== "down") throw serviceError(failure);
      const isOver = kind === "down" && !doubt ? performance.now() >= downUntil : signal.aborted;
      if (isOver) throw doubt ? new ServiceError(503, doubt.message) : serviceError(failure);
      await delay(Math.random() * RETRY_MS_MAX[kind]);
    }
  }
}

const inDoubt = ({ message }: CommitInDoubt): DatabaseFailure => ({
  kind: "down",
  reason: message,
});

function serviceError(failure: DatabaseFailure): ServiceError {
  const { reason } = failure;
  switch (failure.kind) {
    case "busy":
      return new ServiceError(503, `the database is busy, ${UNCHANGED}`);
    case "down":
      return new ServiceError(503, `the database cannot be reached, ${UNCHANGED}: ${reason}`);
    case "refused":
    case "crowded": {
      const { advice } = failure;
      const refusal = "the database refuses the worker";
      return new ServiceError(503, `${refusal}, ${UNCHANGED}: ${reason}; ${advice}`);
    }
    case "full":
      return new ServiceError(503, `the disk of the database is full, ${UNCHANGED}`);
    case "read-only":
      return new ServiceError(503, `the database is read-only, ${UNCHANGED}`);
    case "failed":
      return new ServiceError(500, `the database failed, ${UNCHANGED}: ${reason}`);
  }
}

const UNCHANGED = "nothing was changed";
