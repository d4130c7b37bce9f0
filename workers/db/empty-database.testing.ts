// For tests: databases with nothing in them, of the engine that the tests are run on. That is
// SQLite, or PostgreSQL where TEST_DATABASE_URL names a server of which the databases are to be.

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
import type { Keeping } from "./once.ts";
import { postgres } from "./postgres.ts";
import { sqlite } from "./sqlite.ts";

const { TEST_DATABASE_URL: server } = process.env;

const folder = mkdtempSync(join(tmpdir(), "documents-"));
after(() => rmSync(folder, { recursive: true }));

const KEEPING: Keeping = { recordsMs: 3_600_000, recordsMax: 100_000 };

/** A database that is made when it is first used, and the settings that a db worker finds it by. */
export type EmptyDatabase = { settings: Record<string, string>; engine: () => Engine };

export async function emptyDatabase(): Promise<EmptyDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  if (server === undefined) {
    return inFile(join(folder, `${name}.sqlite`));
  }
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`create database ${name}`);
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

/** What a worker has of a database, and what it logged. */
export class Opened implements AsyncDisposable {
  readonly documents: Documents;
  readonly log: DatabaseEvent[] = [];

  static async of({ engine }: EmptyDatabase, keeping: Partial<Keeping> = {}): Promise<Opened> {
    const opened = new Opened(engine(), { ...KEEPING, ...keeping });
    await opened.documents.prepare({ downMs: 0, signal: AbortSignal.timeout(10_000) });
    return opened;
  }

  private constructor(engine: Engine, keeping: Keeping) {
    this.documents = new Documents(engine, keeping, (event) => this.log.push(event));
  }

  /** Asks as a client does, and takes the answer apart. The id is the broker's. */
  async ask(command: object, id: string | null = null, signal = AbortSignal.timeout(10_000)) {
    return JSON.parse(await this.documents.execute(request(command), { id, signal }));
  }

  /** The code and the sentence that a command is refused with. */
  async refusal(...asked: Parameters<Opened["ask"]>): Promise<string> {
    const error = await this.ask(...asked).then(
      (answer) => assert.fail(`answered ${JSON.stringify(answer)}`),
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
