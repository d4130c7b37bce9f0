// Makes the effect of a request happen once, although Majordomo executes at least once. The effect
// and a record of the request's id are committed in one transaction. A second execution under the
// same id, also by another worker, finds the record, returns its outcome and changes nothing.

import { createHash } from "node:crypto";
import type { Kysely, Transaction } from "kysely";
import { ServiceError } from "../worker.ts";
import { outcomeOf } from "./commands.ts";
import type { DocumentCommand } from "./document-command.ts";
import type { CommandOutcome, Tables } from "./engine.ts";

/** Which records are kept: for `recordsMs` ms, and the newest `recordsMax` of them. */
export type Retention = { recordsMs: number; recordsMax: number };

/**
 * Executes the command and records its outcome, or returns the recorded outcome. Must be called in
 * a transaction; `now` is in ms since 1970. Throws a ServiceError with code 409 if the id was used
 * by another command.
 */
export async function once(
  transaction: Transaction<Tables>,
  id: string,
  command: DocumentCommand,
  { recordsMs }: Retention,
  now: number,
): Promise<CommandOutcome> {
  const claim = { id, fingerprint: fingerprintOf(command), at: now, code: 200, reply: "" } as const;
  // Another transaction with this id waits here until ours ends, and then finds the record.
  const { numInsertedOrUpdatedRows: claimed } = await transaction
    .insertInto("records")
    .values(claim)
    .onConflict((found) =>
      found
        .column("id")
        .doUpdateSet(claim)
        .where("records.at", "<", now - recordsMs),
    )
    .executeTakeFirstOrThrow();
  if (!claimed) return await recorded(transaction, claim);
  const outcome = await outcomeOf(transaction, command);
  await transaction.updateTable("records").set(outcome).where("id", "=", id).execute();
  return outcome;
}

async function recorded(
  transaction: Transaction<Tables>,
  { id, fingerprint }: { id: string; fingerprint: string },
): Promise<CommandOutcome> {
  const record = await transaction
    .selectFrom("records")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  if (record.fingerprint === fingerprint) return record;
  throw new ServiceError(409, "this id is already used by another command");
}

/** Deletes expired records, and the oldest ones beyond `recordsMax`: up to 10,000 per call. */
export async function prune(
  database: Kysely<Tables>,
  { recordsMs, recordsMax }: Retention,
  now: number,
): Promise<void> {
  const newestSurplus = database
    .selectFrom("records")
    .select("at")
    .orderBy("at", "desc")
    .offset(recordsMax)
    .limit(1);
  const old = database
    .selectFrom("records")
    .select("id")
    .where((eb) => eb.or([eb("at", "<", now - recordsMs), eb("at", "<=", newestSurplus)]))
    .orderBy("at")
    .limit(PRUNED_AT_ONCE);
  await database.deleteFrom("records").where("id", "in", old).execute();
}

const PRUNED_AT_ONCE = 10_000;

const fingerprintOf = (command: DocumentCommand) =>
  createHash("sha256").update(JSON.stringify(command)).digest("base64url");
