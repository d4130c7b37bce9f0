// For tests: empty databases on SQLite, or on the PostgreSQL server that TEST_DATABASE_URL names. There
// TEST_DATABASE_OPTIONS are the options of CREATE DATABASE.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import pg from "pg";
import { ServiceError } from "../worker.ts";
import { type DocumentRequest, readRequest } from "./document-command.ts";
import { Documents } from "./documents.ts";
import type { Engine } from "./engine.ts";
import type { DatabaseEvent } from "./events.ts";
import type { RequestIds } from "./once.ts";
import { postgres } from "./postgres.ts";
import type { Retention } from "./retention.ts";
import { sqlite } from "./sqlite.ts";

const { TEST_DATABASE_URL: server, TEST_DATABASE_OPTIONS: options = "" } = process.env;

const folder = mkdtempSync(join(tmpdir(), "documents-"));
after(() => rmSync(folder, { recursive: true }));

const RETENTION: Retention = {
  recordsMs: 3_600_000,
  recordsMax: 1_000_000,
  recordsBytesMax: 2 ** 30,
};

/** How long calls last, in ms. */
const TTL_MS = 60_000;

/** A database that is created on first use, and the settings of a db worker that uses it. */
export type EmptyDatabase = { settings: Record<string, string>; engine: () => Engine };

export async function emptyDatabase(): Promise<EmptyDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  if (server === undefined) {
    return inFile(join(folder, `${name}.sqlite`));
  }
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`create database ${name} ${options}`);
  await client.end();
  const url = new URL(server);
  url.pathname = name;
  return onServer(url.href);
}

export const inFile = (file: string): EmptyDatabase => ({
  settings: { MDP_DB_FILE: file },
  engine: () => sqlite(file),
});

export const onServer = (url: string): EmptyDatabase => ({
  settings: { DATABASE_URL: url },
  engine: () => postgres(url),
});

/** The documents as one worker opens them, and its log. */
export class Opened implements AsyncDisposable {
  readonly documents: Documents;
  readonly log: DatabaseEvent[] = [];

  static async of({ engine }: EmptyDatabase, retention: Partial<Retention> = {}): Promise<Opened> {
    const opened = new Opened(engine(), { ...RETENTION, ...retention });
    await opened.documents.prepare({ downMs: 0, signal: AbortSignal.timeout(10_000) });
    return opened;
  }

  private constructor(engine: Engine, retention: Retention) {
    this.documents = new Documents(engine, retention, TTL_MS, (event) => this.log.push(event));
  }

  /** Executes a command and parses its reply. One id is the broker's, of a request without a call id. */
  async ask(
    command: object,
    ids: string | RequestIds | null = null,
    signal = AbortSignal.timeout(10_000),
  ) {
    const { id, requestId } = typeof ids === "object" && ids ? ids : { id: ids, requestId: ids };
    return JSON.parse(await this.documents.execute(request(command), { id, requestId, signal }));
  }

  /** Executes a command that must be rejected; returns the code and sentence of its error reply. */
  async rejection(...args: Parameters<Opened["ask"]>): Promise<string> {
    const error = await this.ask(...args).then(
      (answer) => assert.fail(`succeeded: ${JSON.stringify(answer)}`),
      (error: unknown) => error,
    );
    assert.ok(error instanceof ServiceError, String(error));
    return `${error.code} ${error.message}`;
  }

  async [Symbol.asyncDispose]() {
    await this.documents.close();
  }
}

const request = (command: object): DocumentRequest =>
  readRequest([Buffer.from(JSON.stringify(command))]);
