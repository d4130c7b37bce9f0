// The failures of PostgreSQL, of PgBouncer and of connections to them.

import pg from "pg";
import type { DatabaseFailure, FailureKind } from "./engine.ts";

/** The encoding of a database cannot store each key. */
export class WrongEncoding extends Error {
  constructor(encoding: string) {
    super(`the encoding of the database is ${encoding}`);
  }
}

/** Whether a pooler refused a connection because of parameters that only a server takes. */
export const isWithoutStartupParameters = (error: unknown) =>
  error instanceof pg.DatabaseError && /unsupported startup parameter/.test(error.message);

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
export function failureOf(error: unknown): DatabaseFailure | null {
  if (!(error instanceof Error)) return null;
  const { code = "", message, syscall } = error as Error & { code?: string; syscall?: string };
  const reason = message || code; // An AggregateError of several addresses has no message.
  const shown = `${code} ${message}`;
  if (error instanceof pg.DatabaseError) {
    const advice = ADVICE[code] ?? POOLER.find(([pattern]) => pattern.test(reason))?.[1];
    if (CROWDED.test(shown)) return { kind: "crowded", reason, advice: FEWER_CONNECTIONS };
    if (advice !== undefined) return { kind: "refused", reason, advice };
    return { kind: KINDS[code] ?? KINDS[code.slice(0, 2)] ?? "failed", reason };
  }
  if (error instanceof WrongEncoding) return { kind: "refused", reason, advice: ENCODING };
  if (syscall === "open") return { kind: "refused", reason, advice: "correct DATABASE_URL" };
  if (TLS.test(shown)) return { kind: "refused", reason, advice: SSLMODE };
  if (PASSWORD.test(shown)) return { kind: "refused", reason, advice: ADVICE["28P01"] as string };
  // All connections of this worker are in use.
  if (message === "timeout exceeded when trying to connect") return { kind: "busy", reason };
  return CONNECTION.test(shown) ? { kind: "down", reason } : null;
}

const KINDS: Record<string, FailureKind> = {
  "08": "down", // connection_exception
  "23505": "busy", // unique_violation: a worker of 0.1.0 creates the migration table too
  "25006": "read-only", // read_only_sql_transaction
  "25P03": "busy", // idle_in_transaction_session_timeout: frozen worker, rolled back
  "40001": "busy", // serialization_failure
  "40P01": "busy", // deadlock_detected
  "42P07": "busy", // duplicate_table: as above
  "53100": "full", // disk_full
  "55P03": "busy", // lock_not_available
  "57014": "busy", // query_canceled: the statement took too long
  "57P01": "down", // admin_shutdown
  "57P02": "down", // crash_shutdown
  "57P03": "down", // cannot_connect_now
  "57P05": "down", // idle_session_timeout
};

/** The settings to change for a server that refuses the worker. */
const ADVICE: Record<string, string> = {
  "28000": "allow it in pg_hba.conf, or set sslmode in DATABASE_URL if the server requires TLS",
  "28P01": "correct the user and the password in DATABASE_URL",
  "3D000": "create the database, or correct DATABASE_URL",
  "42501":
    "grant the role create on its schema, or select, insert, update and delete on tables that exist",
};

/** Messages of PgBouncer, most with the code 08P01 of a lost connection. */
const POOLER: [RegExp, string][] = [
  [/statement pooling mode/, "set pool_mode = transaction or session in pgbouncer.ini"],
  [/no such (user|database)|not allowed/, "correct pgbouncer.ini or DATABASE_URL"],
  [/authentication failed|wrong password/, ADVICE["28P01"] as string],
  [/SSL required/, "set sslmode=require in DATABASE_URL"],
];

/** too_many_connections, and PgBouncer's max_client_conn. */
const CROWDED = /^53300 |no more connections allowed/;

const FEWER_CONNECTIONS =
  "raise max_connections, or run fewer workers: each uses up to 4 connections";

const ENCODING = "create the database with the encoding UTF8";
const SSLMODE = "set sslmode or sslrootcert in DATABASE_URL, or TLS at the server";

/** Matches the errors of node:tls and pg for a connection that has no TLS, or the wrong one. */
const TLS =
  /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)|SSL connection/;

const PASSWORD = /password must be a (non-empty )?string/;

/** Matches the errors of node:net and pg for a connection that failed to open or was lost. */
const CONNECTION =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|ENOENT)|[Cc]onnection|trying to connect/;
