// The db worker: effects and their records.

import type { Mutant } from "../mutant.ts";

export const DOCUMENTS: Mutant[] = [
  {
    rule: "db executes a request again under the same id.",
    file: "workers/db/once.ts",
    find: "    others.length > 0",
    replace: "    false",
  },
  {
    rule: "db records no outcome.",
    file: "workers/db/once.ts",
    find: 'await transaction.updateTable("records").set(outcome).where("id", "in", claimed).execute();',
    replace: "",
  },
  {
    rule: "db ignores the call id, which is the same at each broker.",
    file: "workers/db/once.ts",
    find: "if (id !== null && id !== requestId)",
    replace: "if (false)",
  },
  {
    rule: "db ignores the request id of a call with an id, which is all that 0.1.0 knows.",
    file: "workers/db/once.ts",
    find: "names.push(",
    replace: "names.splice(0, 1, ",
  },
  {
    rule: "db claims the call id before the request id, as no other worker does.",
    file: "workers/db/once.ts",
    find: "names.push(",
    replace: "names.unshift(",
  },
  {
    rule: "db stores a call id, which is enough to fetch a reply.",
    file: "workers/db/once.ts",
    find: "hashOf(id)",
    replace: "id",
  },
  {
    rule: "db keeps the record of a retry for longer than that of its execution.",
    file: "workers/db/once.ts",
    find: "const outcome = { at, code, reply };",
    replace: "const outcome = { at: now, code, reply };",
  },
  {
    rule: "db forgets records before there are too many.",
    file: "workers/db/pruner.ts",
    find: "count > NAMES_MAX * recordsMax",
    replace: "count > (NAMES_MAX * recordsMax) / 2",
  },
  {
    rule: "db counts the age of a record with the clock of the worker.",
    file: "workers/db/sqlite.ts",
    find: "now: () => timeOf(machine),",
    replace: "now: () => sql`(unixepoch('subsec') * 1000)`,",
  },
  {
    rule: "db confuses the ids of clients with those of brokers.",
    file: "workers/db/once.ts",
    find: "[`broker ",
    replace: "[`client ",
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
