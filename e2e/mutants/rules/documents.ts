// The db worker: effects and their records.

import type { Mutant } from "../mutant.ts";

export const DOCUMENTS: Mutant[] = [
  {
    rule: "db executes a request again under the same id.",
    file: "workers/db/once.ts",
    find: "if (!claimed) return await recorded(transaction, claim);",
    replace: "",
  },
  {
    rule: "db records no outcome.",
    file: "workers/db/once.ts",
    find: 'await transaction.updateTable("records").set(outcome).where("id", "=", id).execute();',
    replace: "",
  },
  {
    rule: "db forgets records before there are too many.",
    file: "workers/db/once.ts",
    find: ".offset(recordsMax)",
    replace: ".offset(Math.floor(recordsMax / 2))",
  },
  {
    rule: "db confuses the ids of clients with those of brokers.",
    file: "workers/db/documents.ts",
    find: "brokerId && `broker",
    replace: "brokerId && `client",
  },
  {
    rule: "db keeps half of a batch of which one command is rejected.",
    file: "workers/db/commands.ts",
    find: "await sql`rollback to savepoint batch`.execute(database);",
    replace: "",
  },
  {
    rule: "db ignores the expected version of a put.",
    file: "workers/db/commands.ts",
    find: "expected === undefined || expected === (before?.version ?? 0)",
    replace: "true",
  },
  {
    rule: "db increments past the largest exact number.",
    file: "workers/db/commands.ts",
    find: "&& Number.isSafeInteger(sum)",
    replace: "",
  },
];
