// PostgreSQL, for db workers on any number of machines.
//
// Time limits keep a lost peer from blocking the others. The server cancels a statement that takes
// too long. The worker closes a connection on which a frozen or unreachable server stays silent.
// The server ends the transaction of a frozen worker.

import { Socket } from "node:net";
import { type Kysely, PostgresAdapter, PostgresDialect, sql } from "kysely";
import pg from "pg";
import type { DatabaseFailure, Engine } from "./engine.ts";

const CONNECTIONS_MAX = 4; // As many as the worker's concurrency.
const CONNECTING_MS_MAX = 3000;
const STATEMENT_MS_MAX = 3000;
const IDLE_IN_TRANSACTION_MS_MAX = 5000;
const SILENCE_MS_MAX = 5000;
const IDLE_MS_MAX = 3000;

/** Whether `text` is a URL with the scheme postgres: or postgresql:. */
export const isPostgresUrl = (text: string) =>
  URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol);

/** A database by its URL, postgres://user:password@host:port/database. Connects on first use. */
export function postgres(url: string): Engine {
  const { host, pathname } = new URL(url);
  return {
    name: "PostgreSQL",
    where: host + pathname,
    dialect: new SharedServerDialect({ pool: async () => connect(url) }),
    textByBytes: sql`text collate "C"`,
    now: () => sql`(extract(epoch from now()) * 1000)::bigint`,
    prepare: async () => {},
    reclaim: () => false,
    failureOf,
  };
}

class SharedServerDialect extends PostgresDialect {
  override createAdapter() {
    return new TransactionLockAdapter();
  }
}

/** Locks until the transaction ends: a worker that dies cannot keep the lock. */
class TransactionLockAdapter extends PostgresAdapter {
  override async acquireMigrationLock(database: Kysely<unknown>) {
    await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(database);
  }

  override async releaseMigrationLock() {}
}

/** The lock of the same name in workers of 0.1.0: that of PostgresAdapter. */
const MIGRATION_LOCK = 3_853_314_791_062_309_107n;

function connect(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "majordomo db",
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECTING_MS_MAX,
    idleTimeoutMillis: IDLE_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
    stream: socketWithTimeout,
    types: { getTypeParser },
  });
  // A query on a broken connection rejects by itself; an idle one is replaced. Without a listener
  // these events would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

function socketWithTimeout(): Socket {
  const socket = new Socket();
  const silent = () => socket.destroy(new Error(`connection silent for ${SILENCE_MS_MAX} ms`));
  return socket.setTimeout(SILENCE_MS_MAX, silent);
}

/** Reads a bigint as a number: versions and times stay below 2^53. */
const getTypeParser = (type: number, format?: "text" | "binary") =>
  type === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(type, format as "text");

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
function failureOf(error: unknown): DatabaseFailure | null {
  if (!(error instanceof Error)) return null;
  const { code = "", message } = error as Error & { code?: string };
  const reason = message || code; // An AggregateError of several addresses has no message.
  if (error instanceof pg.DatabaseError) {
    return { kind: KINDS[code] ?? KINDS[code.slice(0, 2)] ?? "failed", reason };
  }
  return CONNECTION.test(`${code} ${message}`) ? { kind: "down", reason } : null;
}

const KINDS: Record<string, DatabaseFailure["kind"]> = {
  "08": "down", // connection_exception
  "23505": "busy", // unique_violation: a worker of 0.1.0 creates the migration table too
  "25006": "read-only", // read_only_sql_transaction
  "25P03": "busy", // idle_in_transaction_session_timeout: frozen worker, rolled back
  "40001": "busy", // serialization_failure
  "40P01": "busy", // deadlock_detected
  "42P07": "busy", // duplicate_table: as above
  "53100": "full", // disk_full
  "53300": "down", // too_many_connections
  "55P03": "busy", // lock_not_available
  "57014": "busy", // query_canceled: the statement took too long
  "57P01": "down", // admin_shutdown
  "57P02": "down", // crash_shutdown
  "57P03": "down", // cannot_connect_now
};

/** Matches the errors of node:net and pg for a connection that failed to open or was lost. */
const CONNECTION =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|ENOENT)|[Cc]onnection|trying to connect/;
