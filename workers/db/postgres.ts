// PostgreSQL, for db workers on any number of machines.
//
// Time limits keep a lost peer from blocking the others. The server cancels a statement that takes
// too long. The worker closes a connection on which a frozen or unreachable server stays silent.
// The server ends the transaction of a frozen worker. Each transaction sets these limits for itself,
// because PgBouncer gives it any of its connections.

import { createHash } from "node:crypto";
import { Socket } from "node:net";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Kysely,
  PostgresAdapter,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  sql,
} from "kysely";
import pg from "pg";
import type { Engine, Tables } from "./engine.ts";
import { failureOf, isWithoutStartupParameters, WrongEncoding } from "./postgres-failures.ts";

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
    lockKeys,
    reclaim: () => false,
    failureOf,
  };
}

/**
 * Each key has one of 32 locks, so that a batch of 100 keys fits into the server's table of locks. All
 * batches take their locks in one order.
 */
async function lockKeys(transaction: Kysely<Tables>, keys: string[]) {
  const numbers = new Set(keys.map((key) => lockOf(key)));
  const locks = sql.join(
    [...numbers].sort((one, other) => one - other).map((n) => sql`(${sql.lit(n)})`),
  );
  await sql`select pg_advisory_xact_lock(${sql.lit(KEY_LOCKS)}, n)
    from (values ${locks}) as locks (n)`.execute(transaction);
}

const lockOf = (key: string) => createHash("sha256").update(key).digest().readUInt8() % 32;

/** The first half of the locks' numbers; the other programs of this database may use others. */
const KEY_LOCKS = 1_296_715_908; // "MJD" and a byte.

class SharedServerDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver() {
    return new LimitedDriver(this.#config);
  }

  override createAdapter() {
    return new TransactionLockAdapter();
  }
}

class LimitedDriver extends PostgresDriver {
  /** One message with three statements: no further round trip. */
  override async beginTransaction(connection: DatabaseConnection) {
    await connection.executeQuery(CompiledQuery.raw(BEGIN));
  }
}

const LIMITS = {
  statement_timeout: STATEMENT_MS_MAX,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
};

const BEGIN = [
  "begin",
  ...Object.entries(LIMITS).map(([name, ms]) => `set local ${name} = ${ms}`),
].join("; ");

/** Locks until the transaction ends: a worker that dies cannot keep the lock. */
class TransactionLockAdapter extends PostgresAdapter {
  override async acquireMigrationLock(database: Kysely<unknown>) {
    await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(database);
  }

  override async releaseMigrationLock() {}
}

/** The lock of the same name in workers of 0.1.0: that of PostgresAdapter. */
const MIGRATION_LOCK = 3_853_314_791_062_309_107n;

/**
 * The connections of this worker. Connects once, and throws if the worker cannot use the database.
 * Queries outside of transactions have the limits from the start of their connection. PgBouncer does
 * not pass them on, so there only the silence of the server ends such a query.
 */
async function connect(url: string): Promise<pg.Pool> {
  try {
    await tryOut({ ...optionsOf(url), ...LIMITS });
    return poolOf({ ...optionsOf(url), ...LIMITS });
  } catch (error) {
    if (!isWithoutStartupParameters(error)) throw error;
    await tryOut(optionsOf(url));
    return poolOf(optionsOf(url));
  }
}

async function tryOut(options: pg.ClientConfig) {
  const client = new pg.Client(options);
  client.on("error", () => {}); // A query on a broken connection rejects by itself.
  try {
    await client.connect();
    const query = "select current_setting('server_encoding') as encoding";
    const { encoding } = (await client.query(query)).rows[0];
    if (encoding !== "UTF8") throw new WrongEncoding(encoding);
  } finally {
    await client.end().catch(() => {});
  }
}

function optionsOf(url: string): pg.PoolConfig {
  return {
    connectionString: url,
    application_name: "majordomo db",
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECTING_MS_MAX,
    idleTimeoutMillis: IDLE_MS_MAX,
    stream: socketWithTimeout,
    types: { getTypeParser },
  };
}

function poolOf(options: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(options);
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
