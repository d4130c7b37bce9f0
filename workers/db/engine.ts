// The differences between the two databases, and the types of the tables that both have.

import type { Dialect, Kysely, RawBuilder } from "kysely";
import type { ErrorCode } from "../../protocol/error-reply.ts";

/** A database server or file, and the parts in which it differs from the others. */
export type Engine = {
  name: "SQLite" | "PostgreSQL";
  /** The database in log lines: a file, or a host and a name, without a password. */
  where: string;
  dialect: Dialect;
  /** The type of a text column that sorts by the bytes of its UTF-8. */
  textByBytes: RawBuilder<unknown>;
  /**
   * The time of the database as SQL, in ms since 1970. Workers have clocks of their own, which may be
   * wrong by hours, so none of them counts.
   */
  now(): RawBuilder<number>;
  /** Adds to the tables after the migrations, in their transaction. Older versions ignore it. */
  prepare(transaction: Kysely<Tables>): Promise<void>;
  /**
   * Locks these keys for a batch until its transaction ends, also keys without a document. So two
   * batches that create the same documents in opposite orders cannot deadlock.
   */
  lockKeys(transaction: Kysely<Tables>, keys: string[]): Promise<void>;
  /**
   * Gives some free space back to the file system, in a few ms. Returns whether there is more. A server
   * does so by itself.
   */
  reclaim(): boolean;
  /** The failure that an error reports, or null if the error is not the database's. */
  failureOf(error: unknown): DatabaseFailure | null;
};

/**
 * A failure of the database. `busy`: another transaction is in the way, so a retry helps. `down`:
 * the database does not answer, so a commit that was under way may be done or not. `full`: its disk
 * is full. `refused`: a setting is wrong, so a retry does not help. `crowded`: the server has no
 * connection left. `failed`: anything else.
 */
export type DatabaseFailure =
  | { kind: FailureKind; reason: string }
  /** `advice` is the setting to change, for the operator. */
  | { kind: "refused" | "crowded"; reason: string; advice: string };

/** A failure that no setting of the worker or its server causes. */
export type FailureKind = "busy" | "down" | "full" | "read-only" | "failed";

/** The tables, which migrations.ts creates. */
export type Tables = {
  documents: Document;
  records: CommandOutcome & {
    id: string; // A name of the request: once.ts.
    fingerprint: string; // A hash of its command.
    at: number; // The time of the execution, in ms since 1970, by Engine.now().
  };
};

export type Document = {
  key: string;
  value: string; // JSON.
  version: number; // How many times the value was set since the key was last absent.
};

/** The outcome of a command: 200 and JSON, or the code and sentence of an error reply. */
export type CommandOutcome = { code: 200 | ErrorCode; reply: string };
