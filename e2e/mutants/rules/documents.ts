// What db does to its documents, and that it does so once.

import type { Mutant } from "../mutant.ts";

const once = "workers/db/once.ts";
const commands = "workers/db/commands.ts";
const documents = "workers/db/documents.ts";
const requests = "workers/db/document-command.ts";

export const DOCUMENTS: Mutant[] = [
  {
    rule: "db does what comes again under its id again.",
    file: once,
    find: "if (!claimed) return await recorded(transaction, claim);",
    replace: "",
  },
  {
    rule: "db does not record what became of a request.",
    file: once,
    find: 'await transaction.updateTable("records").set(outcome).where("id", "=", id).execute();',
    replace: "",
  },
  {
    rule: "db takes an id for a request's whatever its command is.",
    file: once,
    find: "if (record.fingerprint === fingerprint) return record;",
    replace: "return record;",
  },
  {
    rule: "db keeps records however many there are.",
    file: documents,
    find: "if (this.#records % every === 0) await forget(transaction, this.#keeping, now);",
    replace: "",
  },
  {
    rule: "db forgets nothing when it starts.",
    file: documents,
    find: "await this.#try(patience, () => forget(this.#database, this.#keeping, Date.now()));",
    replace: "",
  },
  {
    rule: "db forgets records before there are too many.",
    file: once,
    find: ".offset(recordsMax)",
    replace: ".offset(Math.floor(recordsMax / 2))",
  },
  {
    rule: "db forgets the newest records.",
    file: once,
    find: 'eb("at", "<=", newestToGo)',
    replace: 'eb("at", ">=", newestToGo)',
  },
  {
    rule: "db takes ids of clients and of brokers for one another.",
    file: documents,
    find: "brokersId && `broker",
    replace: "brokersId && `client",
  },
  {
    rule: "The broker's id counts before the client's own at db.",
    file: documents,
    find: "const id = clientsId !== null ?",
    replace: "const id = clientsId !== null && brokersId === null ?",
  },
  {
    rule: "db records what it read.",
    file: commands,
    find: "return command.commands.some(changes);",
    replace: "return true;",
  },
  {
    rule: "db leaves a batch half done of which one command is refused.",
    file: commands,
    find: "await sql`rollback to savepoint batch`.execute(database);",
    replace: "",
  },
  {
    rule: "The results of a batch of db have no bound.",
    file: commands,
    find: "bytes > PAGE_BYTES_MAX",
    replace: "bytes > Infinity",
  },
  {
    rule: "db puts a document whatever version was expected.",
    file: commands,
    find: "expected === undefined || expected === (before?.version ?? 0)",
    replace: "true",
  },
  {
    rule: "A put of db that expects no document replaces one.",
    file: commands,
    find: "expected === (before?.version ?? 0)",
    replace: "expected === (before?.version ?? 0) || expected === 0",
  },
  {
    rule: "db increments beyond what is exact.",
    file: commands,
    find: "&& Number.isSafeInteger(sum)",
    replace: "",
  },
  {
    rule: "A page of db has any size.",
    file: commands,
    find: '.where("before", "<", PAGE_BYTES_MAX)',
    replace: "",
  },
  {
    rule: "A page of db that grew too large is the last one.",
    file: commands,
    find: "(last.found ?? 0) > rows.length",
    replace: "(last.found ?? 0) > limit",
  },
  {
    rule: "A list of db goes on after the keys with its prefix.",
    file: commands,
    find: '.where("key", "<=", prefix + HIGHEST)',
    replace: "",
  },
  {
    rule: "A value of db has any size.",
    file: requests,
    find: "Buffer.byteLength(step.value) > VALUE_BYTES_MAX",
    replace: "false",
  },
  {
    rule: "db keeps numbers that JavaScript cannot.",
    file: requests,
    find: "Number.isSafeInteger(value)",
    replace: "Number.isFinite(value)",
  },
  {
    rule: "The address of a client is taken for the id of a request if it is as long.",
    file: "protocol/request-id.ts",
    find: "address.length === BYTES && address.readUInt16BE(LIFE_BYTES) === 0",
    replace: "address.length === BYTES",
  },
];
