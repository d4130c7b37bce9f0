// SQLite for kysely, on node:sqlite and on a file that several processes share.
//
// node:sqlite is synchronous: while it waits for another process's lock, this process sends no
// heartbeats. So SQLite waits at most 20 ms, and withRetry() tries again.

import { accessSync, constants, mkdirSync } from "node:fs";
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
import type { DatabaseFailure, Engine } from "./engine.ts";
import { type Machine, setClock, machine as thisMachine, timeOf } from "./sqlite-clock.ts";

const BUSY_TIMEOUT_MS = 20;

/** A database file, opened on first use. Creates the file and its folder if they are absent. */
export function sqlite(file: string, machine: Machine = thisMachine): Engine {
  return {
    name: "SQLite",
    where: file,
    dialect: new SharedFileDialect({ database: async () => adapt(open(resolve(file))) }),
    textByBytes: sql`text`,
    now: () => timeOf(machine),
    prepare: (transaction) => setClock(transaction, machine),
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

/** Omits FOR UPDATE, which SQLite does not have: a transaction locks the whole file. */
class WholeFileCompiler extends SqliteQueryCompiler {
  override visitSelectModifier(node: SelectModifierNode) {
    if (node.modifier !== "ForUpdate") super.visitSelectModifier(node);
  }
}

/** Makes kysely run migrations in a transaction, so that processes do not run them at once. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl() {
    return true;
  }
}

function open(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // With WAL, readers and the one writer do not block each other.
    database.exec("pragma journal_mode = wal");
    // A committed change survives a power failure; the cost is one flush per commit.
    database.exec("pragma synchronous = full");
    // SQLite opens a read-only file without an error, and the first write would fail.
    accessSync(path, constants.W_OK);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

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

const KINDS: Record<number, DatabaseFailure["kind"]> = {
  5: "busy", // SQLITE_BUSY: another process holds the lock.
  8: "read-only", // SQLITE_READONLY
  13: "full", // SQLITE_FULL
};
