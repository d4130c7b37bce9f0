// Majordomo executes at least once; what a request changes here happens exactly once. Its effect and
// the record of its id are committed together or not at all. Whoever comes with that id again, be it
// another worker after the death of the first, is told what was recorded, and changes nothing.

import { createHash } from "node:crypto";
import type { Kysely, Transaction } from "kysely";
import { ServiceError } from "../worker.ts";
import { outcomeOf } from "./commands.ts";
import type { DocumentCommand } from "./document-command.ts";
import type { Outcome, Tables } from "./engine.ts";

/** For how long what became of a request is kept, in ms, and of how many requests. */
export type Keeping = { recordsMs: number; recordsMax: number };

/** To be called in a transaction; `now` is in ms since 1970. */
export async function once(
  transaction: Transaction<Tables>,
  id: string,
  command: DocumentCommand,
  { recordsMs }: Keeping,
  now: number,
): Promise<Outcome> {
  const claim = { id, fingerprint: fingerprintOf(command), at: now, code: 200, reply: "" } as const;
  // Another transaction with this id waits here until ours is over, and then finds the record.
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
): Promise<Outcome> {
  const record = await transaction
    .selectFrom("records")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  if (record.fingerprint === fingerprint) return record;
  throw new ServiceError(409, "this id was given to another command before");
}

/** Removes records that are too old, and the oldest if there are too many: some at a time. */
export async function forget(
  database: Kysely<Tables>,
  { recordsMs, recordsMax }: Keeping,
  now: number,
): Promise<void> {
  const newestToGo = database
    .selectFrom("records")
    .select("at")
    .orderBy("at", "desc")
    .offset(recordsMax)
    .limit(1);
  const old = database
    .selectFrom("records")
    .select("id")
    .where((eb) => eb.or([eb("at", "<", now - recordsMs), eb("at", "<=", newestToGo)]))
    .orderBy("at")
    .limit(FORGOTTEN_AT_ONCE);
  await database.deleteFrom("records").where("id", "in", old).execute();
}

const FORGOTTEN_AT_ONCE = 10_000;

const fingerprintOf = (command: DocumentCommand) =>
  createHash("sha256").update(JSON.stringify(command)).digest("base64url");
