// How long a database in trouble is tried again, and what the client is told when that is over.

import { setTimeout as delay } from "node:timers/promises";
import { ServiceError } from "../worker.ts";
import type { Engine, Trouble } from "./engine.ts";

const RETRY_MS_MAX = { busy: 20, down: 200 };

/** One that is down is tried for so many ms, one that is busy until the signal aborts. */
export type Patience = { downMs: number; signal: AbortSignal };

/**
 * The connection broke when a transaction was to be committed: it may have been, or not. Only the
 * record of its id can tell, so that is tried until the signal aborts, too.
 */
export class Unconfirmed extends Error {}

/**
 * Does `work` again while that may help. Throws a ServiceError when it does not, or the error as it
 * is if it is not the database's. `tried` is told how each try went: null is well.
 */
export async function patiently<T>(
  { troubleOf }: Engine,
  { downMs, signal }: Patience,
  tried: (trouble: Trouble | null) => void,
  work: () => Promise<T>,
): Promise<T> {
  const downUntil = performance.now() + downMs;
  let doubt: Unconfirmed | null = null;
  for (;;) {
    try {
      const result = await work();
      tried(null);
      return result;
    } catch (error) {
      if (error instanceof Unconfirmed) doubt = error;
      const trouble = doubt ? inDoubt(doubt) : troubleOf(error);
      if (!trouble || error instanceof ServiceError) throw error;
      tried(trouble);
      const { kind } = trouble;
      if (kind !== "busy" && kind !== "down") throw refusalOf(trouble);
      const over = kind === "down" && !doubt ? performance.now() >= downUntil : signal.aborted;
      if (over) throw doubt ? new ServiceError(503, doubt.message) : refusalOf(trouble);
      await delay(Math.random() * RETRY_MS_MAX[kind]);
    }
  }
}

const inDoubt = ({ message }: Unconfirmed): Trouble => ({ kind: "down", reason: message });

function refusalOf({ kind, reason }: Trouble): ServiceError {
  switch (kind) {
    case "busy":
      return new ServiceError(503, `the database is busy, ${UNCHANGED}`);
    case "down":
      return new ServiceError(503, `the database cannot be reached, ${UNCHANGED}: ${reason}`);
    case "full":
      return new ServiceError(503, `the disk of the database is full, ${UNCHANGED}`);
    case "read-only":
      return new ServiceError(503, `the database is read-only, ${UNCHANGED}`);
    case "failed":
      return new ServiceError(500, `the database failed, ${UNCHANGED}: ${reason}`);
  }
}

const UNCHANGED = "nothing was changed";
