// What each command does to the documents, and what it is answered, on either engine.

import { type Kysely, sql } from "kysely";
import { ServiceError } from "../worker.ts";
import { type DocumentCommand, KEY_BYTES_MAX, type Step } from "./document-command.ts";
import type { Document, Outcome, Tables } from "./engine.ts";

/** A page ends with the document that makes it larger than this. The results of a batch may not be. */
export const PAGE_BYTES_MAX = 1024 * 1024;

/** No key is so long that it goes on after this. Keys from a prefix to this after it begin with it. */
const HIGHEST = "\u{10ffff}".repeat(KEY_BYTES_MAX / 4);

/** The database, or a transaction of it: what changes documents belongs in one. */
type Database = Kysely<Tables>;

/** Whether a command can change anything. */
export function changes(command: DocumentCommand): boolean {
  if (command.command === "batch") return command.commands.some(changes);
  return command.command !== "get" && command.command !== "list";
}

/** What a command comes to. What it refuses, it has not changed. */
export async function outcomeOf(database: Database, command: DocumentCommand): Promise<Outcome> {
  try {
    return { code: 200, reply: await execute(database, command) };
  } catch (error) {
    if (error instanceof ServiceError) return { code: error.code, reply: error.message };
    throw error;
  }
}

function execute(database: Database, command: DocumentCommand): Promise<string> {
  switch (command.command) {
    case "put":
      return put(database, command.key, command.value, command.expectedVersion);
    case "get":
      return get(database, command.key);
    case "delete":
      return remove(database, command.key);
    case "increment":
      return increment(database, command.key, command.by);
    case "list":
      return list(database, command.prefix, command.limit, command.cursor);
    case "batch":
      return batch(database, command.commands);
  }
}

async function put(database: Database, key: string, value: string, expected?: number) {
  const { version } = await change(database, key, (before) => {
    if (expected === undefined || expected === (before?.version ?? 0)) return value;
    const found = before ? `is at version ${before.version}` : "is absent";
    throw new ServiceError(409, `${quote(key)} ${found}, not at version ${expected}`);
  });
  return JSON.stringify({ key, version });
}

async function get(database: Database, key: string): Promise<string> {
  const document = await database
    .selectFrom("documents")
    .selectAll()
    .where("key", "=", key)
    .executeTakeFirst();
  if (!document) throw new ServiceError(404, `no document ${quote(key)}`);
  return print(document);
}

async function remove(database: Database, key: string): Promise<string> {
  const { numDeletedRows } = await database
    .deleteFrom("documents")
    .where("key", "=", key)
    .executeTakeFirstOrThrow();
  return JSON.stringify({ key, deleted: numDeletedRows > 0n });
}

async function increment(database: Database, key: string, by: number): Promise<string> {
  const document = await change(database, key, (before) => {
    const value = before?.value ?? "0";
    const isWhole = /^-?[0-9]+$/.test(value);
    const sum = Number(value) + by;
    if (isWhole && Number.isSafeInteger(sum)) return String(sum);
    const reason = isWhole ? `its sum with ${by} would be beyond 2^53` : "it is not a whole number";
    throw new ServiceError(409, `cannot increment ${quote(key)}: ${reason}`);
  });
  return print(document);
}

async function list(database: Database, prefix: string, limit: number, cursor?: string) {
  // Values are large, and are read only of the documents that there is room for.
  const rows = await database
    .with("found", (query) =>
      query
        .selectFrom("documents")
        .select(["key", sql<number>`octet_length(value)`.as("bytes")])
        .where("key", ">=", prefix)
        .where("key", "<=", prefix + HIGHEST)
        .$if(cursor !== undefined, (more) => more.where("key", ">", cursor as string))
        .orderBy("key")
        .limit(limit + 1),
    )
    .with("page", (query) =>
      query
        .selectFrom("found")
        .select((eb) => [
          "key",
          sql<number>`${eb.fn.sum("bytes").over((over) => over.orderBy("key"))} - bytes`.as(
            "before",
          ),
        ])
        .orderBy("key")
        .limit(limit),
    )
    .selectFrom("page")
    .innerJoin("documents", "documents.key", "page.key")
    .select(["documents.key", "value", "version"])
    .select((eb) => eb.selectFrom("found").select(eb.fn.countAll<number>().as("count")).as("found"))
    .where("before", "<", PAGE_BYTES_MAX)
    .orderBy("documents.key")
    .execute();
  const last = rows.at(-1);
  const next = last && (last.found ?? 0) > rows.length ? last.key : null;
  return `{"documents":[${rows.map(print).join(",")}],"cursor":${JSON.stringify(next)}}`;
}

/** All of it or nothing: each command sees what those before it have changed, and nobody else does. */
async function batch(database: Database, steps: Step[]): Promise<string> {
  await holdAll(database, new Set(steps.map(({ key }) => key)));
  await sql`savepoint batch`.execute(database);
  const results: string[] = [];
  let bytes = 0;
  for (const [index, step] of steps.entries()) {
    try {
      const result = await execute(database, step);
      bytes += Buffer.byteLength(result);
      if (bytes > PAGE_BYTES_MAX) throw new ServiceError(413, "the results have more than 1 MiB");
      results.push(result);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      await sql`rollback to savepoint batch`.execute(database);
      const sentence = `nothing was changed, since of commands.${index}: ${error.message}`;
      throw new ServiceError(error.code, sentence);
    }
  }
  return `{"results":[${results.join(",")}]}`;
}

/** Sets a document to what comes of it as it is, with nobody in between. */
async function change(
  database: Database,
  key: string,
  become: (before: Document | undefined) => string,
): Promise<Document> {
  for (;;) {
    const before = await hold(database, key);
    const value = become(before);
    const after = await (before ? update(database, key, value) : insert(database, key, value));
    if (after) return { key, value, ...after }; // Else it was inserted at the same moment.
  }
}

/** A document that nobody else can change until our transaction ends. */
const hold = (database: Database, key: string) =>
  database
    .selectFrom("documents")
    .selectAll()
    .where("key", "=", key)
    .forUpdate()
    .executeTakeFirst();

/** In one order for all, so that no two batches ever wait for each other. */
const holdAll = (database: Database, keys: Set<string>) =>
  database
    .selectFrom("documents")
    .select("key")
    .where("key", "in", [...keys])
    .orderBy("key")
    .forUpdate()
    .execute();

const update = (database: Database, key: string, value: string) =>
  database
    .updateTable("documents")
    .set((eb) => ({ value, version: eb("version", "+", 1) }))
    .where("key", "=", key)
    .returning("version")
    .executeTakeFirst();

const insert = (database: Database, key: string, value: string) =>
  database
    .insertInto("documents")
    .values({ key, value, version: 1 })
    .onConflict((conflict) => conflict.column("key").doNothing())
    .returning("version")
    .executeTakeFirst();

const quote = (key: string) => JSON.stringify(key);

/** The value goes out as the text it is stored as. */
const print = ({ key, value, version }: Document) =>
  `{"key":${JSON.stringify(key)},"value":${value},"version":${version}}`;
