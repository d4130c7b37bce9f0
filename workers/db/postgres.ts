// PostgreSQL, for db workers on any number of machines.
//
// A server that has gone must not keep a worker waiting: a statement is given up by the server after
// a while, and a connection by us on which the server, frozen or cut off, says nothing for longer.
// And a worker that is frozen in a transaction must not keep the others waiting: the server ends it.

import { Socket } from "node:net";
import { PostgresDialect, sql } from "kysely";
import pg from "pg";
import type { Engine, Trouble } from "./engine.ts";

const CONNECTIONS_MAX = 4; // For as many requests as a worker has in hand.
const CONNECTING_MS_MAX = 3000;
const STATEMENT_MS_MAX = 3000;
const IDLE_IN_TRANSACTION_MS_MAX = 5000;
const SILENCE_MS_MAX = 5000;
const IDLE_MS_MAX = 3000;

export const isPostgresUrl = (text: string) =>
  URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol);

/** A database by its URL: postgres://user:password@host:port/database. Connects when it is used. */
export function postgres(url: string): Engine {
  const { host, pathname } = new URL(url);
  return {
    name: "PostgreSQL",
    where: host + pathname,
    dialect: new PostgresDialect({ pool: async () => connect(url) }),
    textByBytes: sql`text collate "C"`,
    troubleOf,
  };
}

function connect(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "majordomo db",
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECTING_MS_MAX,
    idleTimeoutMillis: IDLE_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
    stream: impatientSocket,
    types: { getTypeParser },
  });
  // Of a connection that broke, whoever uses it is told. If nobody does, it matters to nobody.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

function impatientSocket(): Socket {
  const socket = new Socket();
  const silent = () => socket.destroy(new Error(`connection silent for ${SILENCE_MS_MAX} ms`));
  return socket.setTimeout(SILENCE_MS_MAX, silent);
}

/** A bigint as a number: none of ours is beyond 2^53. */
const getTypeParser = (type: number, format?: "text" | "binary") =>
  type === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(type, format as "text");

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
function troubleOf(error: unknown): Trouble | null {
  if (!(error instanceof Error)) return null;
  const { code = "", message } = error as Error & { code?: string };
  const reason = message || code; // An AggregateError, of several addresses, has no message.
  if (error instanceof pg.DatabaseError) {
    return { kind: KINDS[code] ?? KINDS[code.slice(0, 2)] ?? "failed", reason };
  }
  return CONNECTION.test(`${code} ${message}`) ? { kind: "down", reason } : null;
}

const KINDS: Record<string, Trouble["kind"]> = {
  "08": "down", // connection_exception
  "25006": "read-only", // read_only_sql_transaction
  "25P03": "busy", // idle_in_transaction_session_timeout: we were frozen, and nothing was done
  "40001": "busy", // serialization_failure
  "40P01": "busy", // deadlock_detected
  "53100": "full", // disk_full
  "53300": "down", // too_many_connections
  "55P03": "busy", // lock_not_available
  "57014": "busy", // query_canceled: its time was over
  "57P01": "down", // admin_shutdown
  "57P02": "down", // crash_shutdown
  "57P03": "down", // cannot_connect_now
};

/** What node:net and pg say of a connection that cannot be had, or was lost. */
const CONNECTION =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|ENOENT)|[Cc]onnection|trying to connect/;
