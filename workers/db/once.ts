// Makes the effect of a request happen once, although Majordomo executes at least once. The effect
// and a record under each name of the request are committed in one transaction. A second execution
// under one of these names, also by another worker, finds the record, returns its outcome and changes
// nothing.

import { createHash } from "node:crypto";
import { sql, type Transaction } from "kysely";
import { ServiceError } from "../worker.ts";
import { outcomeOf } from "./commands.ts";
import type { DocumentCommand } from "./document-command.ts";
import type { CommandOutcome, Engine, Tables } from "./engine.ts";
import type { Retention } from "./retention.ts";

/** The ids of a request: that of its call, and the broker's. They are equal without a call id. */
export type RequestIds = { id: string | null; requestId: string | null };

/**
 * The names of a request for once(): the client's own id, if its command has one. Otherwise the
 * broker's request id and the call id, as far as it has them. Workers of 0.1.0 know only the request
 * id, so their records are found under it, and they find ours.
 *
 * All workers claim names in this order, the request id first. In opposite orders, two transactions
 * could wait for each other.
 */
export function namesOf(clientId: string | null, { id, requestId }: RequestIds): string[] {
  if (clientId !== null) return [`client ${clientId}`];
  const names = requestId === null ? [] : [`broker ${requestId}`];
  // Knowing a call id is enough to fetch the reply of its call, so the table has a hash. The hash also
  // has no NUL, which PostgreSQL cannot store, and one length for all names of keys.
  if (id !== null && id !== requestId) names.push(`call ${hashOf(id)}`);
  return names;
}

/**
 * Executes the command and records its outcome under each name, or returns the outcome that is
 * recorded under one of them, and records it under the other. Must be called in a transaction and
 * with the result of namesOf(), not empty. Throws a ServiceError with code 409 if one of the names
 * was used by another command.
 */
export async function once(
  transaction: Transaction<Tables>,
  names: string[],
  command: DocumentCommand,
  { recordsMs }: Retention,
  engine: Engine,
): Promise<CommandOutcome> {
  const fingerprint = hashOf(JSON.stringify(command));
  const now = engine.now();
  const claim = { fingerprint, at: now, code: 200, reply: "" } as const;
  // Another transaction with one of these names waits here until ours ends, and then finds the record.
  const inserted = await transaction
    .insertInto("records")
    .values(names.map((id) => ({ id, ...claim })))
    .onConflict((found) =>
      found
        .column("id")
        .doUpdateSet(claim)
        .where("records.at", "<", sql<number>`${now} - ${recordsMs}`),
    )
    .returning(["id", "at"])
    .execute();
  const claimed = inserted.map(({ id }) => id);
  const others = names.filter((name) => !claimed.includes(name));
  const { at, code, reply } =
    others.length > 0
      ? await recorded(transaction, others, fingerprint)
      : { at: inserted[0]?.at, ...(await outcomeOf(transaction, command)) };
  if (claimed.length > 0) {
    // All records of one execution have its time, so that they expire together.
    const outcome = { at, code, reply };
    await transaction.updateTable("records").set(outcome).where("id", "in", claimed).execute();
  }
  return { code, reply };
}

/**
 * The record of these names. Both have records of their own if a worker of 0.1.0 executed a retry at
 * another broker again. Then the record of the call counts, because earlier retries returned it.
 */
async function recorded(transaction: Transaction<Tables>, names: string[], fingerprint: string) {
  const records = await transaction
    .selectFrom("records")
    .selectAll()
    .where("id", "in", names)
    .execute();
  if (records.some((record) => record.fingerprint !== fingerprint)) {
    throw new ServiceError(409, "this id is already used by another command");
  }
  const record = records.find(({ id }) => id === names.at(-1));
  if (!record) throw new Error("a locked record is absent");
  return record;
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("base64url");
