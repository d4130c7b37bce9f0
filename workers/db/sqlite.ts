// SQLite as Node has it, for kysely and for a file that several processes share.
//
// node:sqlite is synchronous: while it waits for another process's lock, this one sends no
// heartbeats. So it waits only briefly, and patiently() tries again.

import { accessSync, constants, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { SqliteDialect } from "kysely";
import { ServiceError } from "../worker.ts";

const BUSY_TIMEOUT_MS = 20;
const RETRY_MS_MAX = 20;

/** Opens a file for reading and writing; makes it and its folder if there is none. */
export async function openSqlite(file: string, signal: AbortSignal): Promise<DatabaseSync> {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  return await patiently(signal, () => open(resolve(file)));
}

function open(path: string): DatabaseSync {
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

/** Does `work` again while other processes have the file locked, until the signal aborts. */
export async function patiently<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (resultCode(error) !== SQLITE_BUSY || signal.aborted) throw error;
      await delay(Math.random() * RETRY_MS_MAX);
    }
  }
}

export const sqliteDialect = (database: DatabaseSync) =>
  new SqliteDialect({
    database: {
      prepare: (sql) => adapt(database.prepare(sql)),
      close: () => database.close(),
    },
  });

/** A statement as better-sqlite3 has it, which is what kysely knows. */
function adapt(statement: StatementSync) {
  const input = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
  return {
    reader: statement.columns().length > 0,
    all: (parameters: readonly unknown[]) => statement.all(...input(parameters)),
    run: (parameters: readonly unknown[]) => statement.run(...input(parameters)),
    iterate: (parameters: readonly unknown[]) => statement.iterate(...input(parameters)),
  };
}

/** What to tell a client of an error of SQLite's, or null if it is none. */
export function failureOf(error: unknown): ServiceError | null {
  const code = resultCode(error);
  if (code === null) return null;
  if (code === SQLITE_BUSY) return new ServiceError(503, "the database is busy");
  if (code === SQLITE_FULL) return new ServiceError(503, "the disk is full");
  return new ServiceError(500, `the database failed: ${(error as Error).message}`);
}

/** https://www.sqlite.org/rescode.html: the lowest 8 bits say what, the others why. */
function resultCode(error: unknown): number | null {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === "ERR_SQLITE_ERROR" && typeof errcode === "number" ? errcode & 0xff : null;
}

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
