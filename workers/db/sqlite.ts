// SQLite as Node has it, for kysely and for a file that several processes share.
//
// node:sqlite is synchronous: while it waits for another process's lock, this one sends no
// heartbeats. So it waits only briefly, and patiently() tries again.

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
import type { Engine, Trouble } from "./engine.ts";

const BUSY_TIMEOUT_MS = 20;

/** A file, which is opened when it is first used; it and its folder are made if there are none. */
export function sqlite(file: string): Engine {
  return {
    name: "SQLite",
    where: file,
    dialect: new SharedFileDialect({ database: async () => adapt(open(resolve(file))) }),
    textByBytes: sql`text`,
    troubleOf,
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
  /** Takes the lock of the one writer at once: who reads first and then cannot have it must start over. */
  override async beginTransaction(connection: DatabaseConnection) {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** After some errors SQLite has rolled back by itself, and then it refuses. */
  override async rollbackTransaction(connection: DatabaseConnection) {
    await super.rollbackTransaction(connection).catch(() => {});
  }
}

/** Has no words for locking rows: a transaction has the whole file. */
class WholeFileCompiler extends SqliteQueryCompiler {
  override visitSelectModifier(node: SelectModifierNode) {
    if (node.modifier !== "ForUpdate") super.visitSelectModifier(node);
  }
}

/** Migrations are done in a transaction, so that those of several processes do not meet. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl() {
    return true;
  }
}

function open(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // Readers and the one writer do not wait for each other.
    database.exec("pragma journal_mode = wal");
    // What was answered is on the disk, even if the power fails; that costs a flush a write.
    database.exec("pragma synchronous = full");
    // SQLite opens a file that cannot be written all the same, until the first put fails.
    accessSync(path, constants.W_OK);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A database as better-sqlite3 has it, which is what kysely knows. */
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

/** https://www.sqlite.org/rescode.html: the lowest 8 bits say what, the others why. */
function troubleOf(error: unknown): Trouble | null {
  const { code, errcode, message: reason } = error as Error & { code?: unknown; errcode?: unknown };
  if (code !== "ERR_SQLITE_ERROR" || typeof errcode !== "number") return null;
  return { kind: KINDS[errcode & 0xff] ?? "failed", reason };
}

const KINDS: Record<number, Trouble["kind"]> = {
  5: "busy", // SQLITE_BUSY: another process has it locked.
  8: "read-only", // SQLITE_READONLY
  13: "full", // SQLITE_FULL
};
