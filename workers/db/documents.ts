// The documents of the db service: JSON values under keys, in a table that many workers share.
//
// Each change is one statement, so the database makes it whole or not at all, and no worker that is
// frozen or killed between two statements keeps the others from writing.

import { type Dialect, Kysely, sql } from "kysely";
import { ServiceError } from "../worker.ts";
import type { DocumentCommand } from "./document-command.ts";
import { failureOf, openSqlite, patiently, sqliteDialect } from "./sqlite.ts";

/** A page of a list ends with the document that makes it larger than this. */
export const PAGE_BYTES_MAX = 1024 * 1024;

const OPENING_MS_MAX = 10_000;

type Schema = { documents: Document };

type Document = {
  key: string;
  value: string; // JSON.
  version: number; // How often the value was set since the key was last absent.
};

/** The documents in a file, which is made if there is none. */
export async function openDocuments(file: string): Promise<Documents> {
  const patience = AbortSignal.timeout(OPENING_MS_MAX);
  const documents = new Documents(sqliteDialect(await openSqlite(file, patience)));
  await documents.prepare(patience);
  return documents;
}

export class Documents {
  readonly #database: Kysely<Schema>;

  constructor(dialect: Dialect) {
    this.#database = new Kysely({ dialect });
  }

  /** Makes the table unless another worker has. */
  async prepare(signal: AbortSignal): Promise<void> {
    const table = this.#database.schema
      .createTable("documents")
      .ifNotExists()
      .addColumn("key", "text", (column) => column.primaryKey().notNull())
      .addColumn("value", "text", (column) => column.notNull())
      .addColumn("version", "integer", (column) => column.notNull());
    await patiently(signal, () => table.execute());
  }

  /** The answer to a command, a JSON text; waits for a busy database until the signal aborts. */
  async execute(command: DocumentCommand, signal: AbortSignal): Promise<string> {
    try {
      return await patiently(signal, () => this.#execute(command));
    } catch (error) {
      throw failureOf(error) ?? error;
    }
  }

  async close(): Promise<void> {
    await this.#database.destroy();
  }

  #execute(command: DocumentCommand): Promise<string> {
    switch (command.command) {
      case "put":
        return this.#put(command.key, command.value);
      case "get":
        return this.#get(command.key);
      case "delete":
        return this.#delete(command.key);
      case "increment":
        return this.#increment(command.key, command.by);
      case "list":
        return this.#list(command.prefix, command.limit, command.cursor);
    }
  }

  async #put(key: string, value: string): Promise<string> {
    const { version } = await this.#database
      .insertInto("documents")
      .values({ key, value, version: 1 })
      .onConflict((conflict) =>
        conflict.column("key").doUpdateSet((eb) => ({
          value: eb.ref("excluded.value"),
          version: eb("documents.version", "+", 1),
        })),
      )
      .returning("version")
      .executeTakeFirstOrThrow();
    return JSON.stringify({ key, version });
  }

  async #get(key: string): Promise<string> {
    const document = await this.#find(key);
    if (!document) throw new ServiceError(404, `no document ${JSON.stringify(key)}`);
    return print(document);
  }

  async #delete(key: string): Promise<string> {
    const { numDeletedRows } = await this.#database
      .deleteFrom("documents")
      .where("key", "=", key)
      .executeTakeFirstOrThrow();
    return JSON.stringify({ key, deleted: numDeletedRows > 0n });
  }

  async #increment(key: string, by: number): Promise<string> {
    const sum = sql<string>`cast(documents.value as integer) + cast(${by} as integer)`;
    const document = await this.#database
      .insertInto("documents")
      .values({ key, value: String(by), version: 1 })
      .onConflict((conflict) =>
        conflict
          .column("key")
          .doUpdateSet((eb) => ({ value: sum, version: eb("documents.version", "+", 1) }))
          // JSON made of digits and minus signs alone is a whole number.
          .where(sql<string>`trim(documents.value, '-0123456789')`, "=", "")
          .where(
            sql<boolean>`${sum} between ${Number.MIN_SAFE_INTEGER} and ${Number.MAX_SAFE_INTEGER}`,
          ),
      )
      .returning(["key", "value", "version"])
      .executeTakeFirst();
    if (document) return print(document);
    const before = await this.#find(key);
    const why = /^-?[0-9]+$/.test(before?.value ?? "")
      ? `its sum with ${by} would be beyond 2^53`
      : "it is not a whole number";
    throw new ServiceError(409, `cannot increment ${JSON.stringify(key)}: ${why}`);
  }

  async #list(prefix: string, limit: number, cursor: string | undefined): Promise<string> {
    // Keys with a prefix stand together, from the prefix on. A streamed row is read when its turn
    // comes, so no more is read than is answered.
    const rows = this.#database
      .selectFrom("documents")
      .selectAll()
      .where("key", ">=", prefix)
      .$if(cursor !== undefined, (query) => query.where("key", ">", cursor as string))
      .orderBy("key")
      .limit(limit + 1)
      .stream();
    const page: string[] = [];
    let bytes = 0;
    let last: string | null = null;
    for await (const row of rows) {
      if (!row.key.startsWith(prefix)) break;
      if (page.length === limit || bytes >= PAGE_BYTES_MAX) return printPage(page, last);
      const document = print(row);
      page.push(document);
      bytes += Buffer.byteLength(document);
      last = row.key;
    }
    return printPage(page, null);
  }

  #find(key: string): Promise<Document | undefined> {
    return this.#database
      .selectFrom("documents")
      .selectAll()
      .where("key", "=", key)
      .executeTakeFirst();
  }
}

/** The value goes out as the text it is stored as. */
const print = ({ key, value, version }: Document) =>
  `{"key":${JSON.stringify(key)},"value":${value},"version":${version}}`;

const printPage = (page: string[], cursor: string | null) =>
  `{"documents":[${page.join(",")}],"cursor":${JSON.stringify(cursor)}}`;
