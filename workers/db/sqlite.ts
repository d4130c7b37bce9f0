// SQLite for kysely, on node:sqlite and on a file that several processes share.
//
// node:sqlite is synchronous: while it waits for another process's lock, this process sends no
// heartbeats. So SQLite waits at most 20 ms, and withRetry() tries again.

import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  type SelectModifierNode,
  SqliteAdapter,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
  SqliteQueryCompiler,
  sql,
} from "kysely";
import type { DatabaseFailure, Engine, FailureKind } from "./engine.ts";
import { type Machine, setClock, machine as thisMachine, timeOf } from "./sqlite-clock.ts";

const BUSY_TIMEOUT_MS = 20;

/** The file of the WAL is shortened to this after a checkpoint. */
const LOG_BYTES_MAX = 64 * 1024 * 1024;

/** The pages that reclaim() moves at once: 1 MiB. */
const PAGES_AT_ONCE = 256;

/** A file of an older version is rewritten if it has at most so much apart from free pages. */
const REWRITTEN_BYTES_MAX = 64 * 1024 * 1024;

/** A database file, opened on first use. Creates the file and its folder if they are absent. */
export function sqlite(file: string, machine: Machine = thisMachine): Engine {
  let database: DatabaseSync | undefined;
  return {
    name: "SQLite",
    where: file,
    dialect: new SharedFileDialect({
      database: async () => {
        database = open(resolve(file));
        return adapt(database);
      },
    }),
    textByBytes: sql`text`,
    now: () => timeOf(machine),
    prepare: (transaction) => setClock(transaction, machine),
    lockKeys: async () => {}, // A transaction locks the whole file.
    reclaim: () => database !== undefined && reclaim(database),
    failureOf,
  };
}

class SharedFileDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;

  constructor(config: SqliteDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver() {
    return new SharedFileDriver(this.#config);
  }

  override createAdapter() {
    return new TransactionalAdapter();
  }

  override createQueryCompiler() {
    return new WholeFileCompiler();
  }
}

class SharedFileDriver extends SqliteDriver {
  /**
   * Takes the write lock at once: a transaction that reads first may fail to get the lock later.
   */
  override async beginTransaction(connection: DatabaseConnection) {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** After some errors SQLite has already rolled back, and a rollback then fails. */
  override async rollbackTransaction(connection: DatabaseConnection) {
    await super.rollbackTransaction(connection).catch(() => {});
  }
}

/** Omits the locks of rows, which SQLite does not have: a transaction locks the whole file. */
class WholeFileCompiler extends SqliteQueryCompiler {
  override visitSelectModifier(node: SelectModifierNode) {
    if (!LOCKS.includes(node.modifier)) super.visitSelectModifier(node);
  }
}

const LOCKS: (string | undefined)[] = ["ForUpdate", "SkipLocked"];

/** Makes kysely run migrations in a transaction, so that processes do not run them at once. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl() {
    return true;
  }
}

function open(path: string): DatabaseSync {
  makeFolder(dirname(path));
  // Other users of the machine cannot read a new file. SQLite gives its further files the same mode.
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // SQLite opens a read-only file without an error, and the first write would fail.
    accessSync(path, constants.W_OK);
    // Only a file without tables takes this setting. It lets reclaim() shorten the file.
    database.exec("pragma auto_vacuum = incremental");
    // With WAL, readers and the one writer do not block each other.
    database.exec("pragma journal_mode = wal");
    database.exec(`pragma journal_size_limit = ${LOG_BYTES_MAX}`);
    // A committed change survives a power failure; the cost is one flush per commit.
    database.exec("pragma synchronous = full");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** mkdirSync() with `recursive` never returns for a path under /proc. */
function makeFolder(path: string) {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (!existsSync(path)) throw error; // Else another worker made it meanwhile.
  }
}

/** Shortens the file by some of its free pages. Returns whether there are more. */
function reclaim(database: DatabaseSync): boolean {
  const free = pragma(database, "freelist_count");
  if (free < PAGES_AT_ONCE) return false;
  if (pragma(database, "auto_vacuum") === INCREMENTAL) {
    database.exec(`pragma incremental_vacuum(${PAGES_AT_ONCE})`);
    return pragma(database, "freelist_count") < free;
  }
  const used = pragma(database, "page_count") - free;
  const isWorthIt = free > used && used * pragma(database, "page_size") <= REWRITTEN_BYTES_MAX;
  if (isWorthIt) database.exec("pragma auto_vacuum = incremental; vacuum");
  return false;
}

const INCREMENTAL = 2; // https://www.sqlite.org/pragma.html#pragma_auto_vacuum

const pragma = (database: DatabaseSync, name: string) =>
  Number(Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0]);

/** The API of better-sqlite3, which kysely expects. */
const adapt = (database: DatabaseSync) => ({
  prepare: (sql: string) => adaptStatement(database.prepare(sql)),
  close: () => database.close(),
});

function adaptStatement(statement: StatementSync) {
  const input = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters: readonly unknown[]) => statement.all(...input(parameters)),
    run: (parameters: readonly unknown[]) => statement.run(...input(parameters)),
    iterate: (parameters: readonly unknown[]) => statement.iterate(...input(parameters)),
  };
}

/** https://www.sqlite.org/rescode.html: the lowest 8 bits are the primary code. */
function failureOf(error: unknown): DatabaseFailure | null {
  const { code, errcode, message: reason } = error as Error & { code?: unknown; errcode?: unknown };
  if (code !== "ERR_SQLITE_ERROR" || typeof errcode !== "number") return null;
  return { kind: KINDS[errcode & 0xff] ?? "failed", reason };
}

const KINDS: Record<number, FailureKind> = {
  5: "busy", // SQLITE_BUSY: another process holds the lock.
  8: "read-only", // SQLITE_READONLY
  13: "full", // SQLITE_FULL
};
