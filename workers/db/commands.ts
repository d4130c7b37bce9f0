// Executes the commands of the db service on the documents, on both engines.

import { type Kysely, sql } from "kysely";
import { ServiceError } from "../worker.ts";
import { type DocumentCommand, KEY_BYTES_MAX, type Step } from "./document-command.ts";
import type { CommandOutcome, Document, Tables } from "./engine.ts";

/**
 * A page ends with the document that exceeds this size; the results of a batch must not exceed it.
 */
export const PAGE_BYTES_MAX = 1024 * 1024;

/** Sorts after every key. The keys with a prefix are those from it to it + HIGHEST. */
const HIGHEST = "\u{10ffff}".repeat(KEY_BYTES_MAX / 4);

/** The database or a transaction. A command that changes documents must run in a transaction. */
type Database = Kysely<Tables>;

/** Whether a command can change documents. */
export function changes(command: DocumentCommand): boolean {
  if (command.command === "batch") return command.commands.some(changes);
  return command.command !== "get" && command.command !== "list";
}

/** Executes a command. A command that is rejected has changed nothing. */
export async function outcomeOf(
  database: Database,
  command: DocumentCommand,
): Promise<CommandOutcome> {
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
    const isWhole = NUMBER.test(value) && Number.isInteger(Number(value));
    const sum = Number(value) + by;
    if (isWhole && Number.isSafeInteger(sum)) return String(sum);
    const reason = isWhole ? `its sum with ${by} would be beyond 2^53` : "it is not a whole number";
    throw new ServiceError(409, `cannot increment ${quote(key)}: ${reason}`);
  });
  return print(document);
}

/** A number, as JSON writes it. */
const NUMBER = /^-?[0-9.]+(e[+-]?[0-9]+)?$/i;

async function list(database: Database, prefix: string, limit: number, cursor?: string) {
  // Values are large, so the query reads only those of the documents that fit into the page.
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

/**
 * Executes all steps or none. Each step sees the changes of earlier steps; other requests do not.
 */
async function batch(database: Database, steps: Step[]): Promise<string> {
  await lockAll(database, new Set(steps.map(({ key }) => key)));
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
      const sentence = `nothing was changed, because commands.${index} failed: ${error.message}`;
      throw new ServiceError(error.code, sentence);
    }
  }
  return `{"results":[${results.join(",")}]}`;
}

/** Replaces the value of a document by `become(document)`, atomically. */
async function change(
  database: Database,
  key: string,
  become: (before: Document | undefined) => string,
): Promise<Document> {
  for (;;) {
    const before = await lock(database, key);
    const value = become(before);
    const after = await (before ? update(database, key, value) : insert(database, key, value));
    if (after) return { key, value, ...after }; // Else another transaction inserted it meanwhile.
  }
}

/** Reads and locks a document until our transaction ends. */
const lock = (database: Database, key: string) =>
  database
    .selectFrom("documents")
    .selectAll()
    .where("key", "=", key)
    .forUpdate()
    .executeTakeFirst();

/** Locks the documents that exist, so that gets see one state of them. Engine.lockKeys() came before. */
const lockAll = (database: Database, keys: Set<string>) =>
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

/** The document as JSON; the stored text of the value is JSON already. */
const print = ({ key, value, version }: Document) =>
  `{"key":${JSON.stringify(key)},"value":${value},"version":${version}}`;
