// What the two databases have to tell each other apart by. Everything else is the same for both.

import type { Dialect, RawBuilder } from "kysely";
import type { ErrorCode } from "../../protocol/error-reply.ts";

export type Engine = {
  name: "SQLite" | "PostgreSQL";
  where: string; // What is told of it in the log, without a password.
  dialect: Dialect;
  textByBytes: RawBuilder<unknown>; // Of a column that is sorted by the bytes of its UTF-8.
  troubleOf(error: unknown): Trouble | null; // Null if the error is not the database's.
};

/**
 * What keeps a database from doing its work. Busy: others are in the way, it helps to try again.
 * Down: it does not answer, and what was under way may be done or not.
 */
export type Trouble = {
  kind: "busy" | "down" | "full" | "read-only" | "failed";
  reason: string; // In the database's words, or its driver's.
};

/** Tables as TypeScript knows them; migrations.ts makes them. */
export type Tables = {
  documents: Document;
  records: Outcome & {
    id: string; // Of the request.
    fingerprint: string; // Of its command.
    at: number; // When it was executed, in ms since 1970.
  };
};

export type Document = {
  key: string;
  value: string; // JSON.
  version: number; // How often the value was set since the key was last absent.
};

/** What became of a request: 200 and JSON, or the code and the sentence of its refusal. */
export type Outcome = { code: 200 | ErrorCode; reply: string };
