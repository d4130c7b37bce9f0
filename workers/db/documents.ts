// The documents of the db service: JSON values under keys, in a database that many workers share.

import { Kysely, type Transaction } from "kysely";
import { ServiceError } from "../worker.ts";
import { changes, outcomeOf } from "./commands.ts";
import type { DocumentCommand, DocumentRequest } from "./document-command.ts";
import type { Engine, Outcome, Tables, Trouble } from "./engine.ts";
import type { DatabaseEvent } from "./events.ts";
import { migrate } from "./migrations.ts";
import { forget, type Keeping, once } from "./once.ts";
import { type Patience, patiently, Unconfirmed } from "./patience.ts";

/** How long a database that is down is waited for, in ms, before clients are told. */
const DOWN_MS = 3000;

/** A worker removes old records whenever it has added so many, or a hundredth of those that are kept. */
const FORGET_EVERY = 1000;

export class Documents {
  readonly #engine: Engine;
  readonly #keeping: Keeping;
  readonly #log: (event: DatabaseEvent) => void;
  readonly #database: Kysely<Tables>;
  #records = 0; // Added by this worker.
  #reachable = true;

  constructor(engine: Engine, keeping: Keeping, log: (event: DatabaseEvent) => void) {
    this.#engine = engine;
    this.#keeping = keeping;
    this.#log = log;
    this.#database = new Kysely({ dialect: engine.dialect });
  }

  /** Makes the tables what they should be, or throws a ServiceError that says why it cannot. */
  async prepare(patience: Patience): Promise<void> {
    const migrated = await this.#try(patience, () => migrate(this.#database, this.#engine));
    await this.#try(patience, () => forget(this.#database, this.#keeping, Date.now()));
    const { name: engine, where } = this.#engine;
    this.#log({ event: "database.opened", engine, where, migrated });
  }

  /**
   * The answer to a request, a JSON text, or a ServiceError. What has an id is done once, however
   * often it comes: its client's, or else its broker's, which is the same when it is delivered again.
   */
  async execute(
    { command, id: clientsId }: DocumentRequest,
    { id: brokersId, signal }: { id: string | null; signal: AbortSignal },
  ): Promise<string> {
    const id = clientsId !== null ? `client ${clientsId}` : brokersId && `broker ${brokersId}`;
    const patience = { downMs: DOWN_MS, signal };
    const { code, reply } = await this.#try(patience, () => this.#attempt(command, id));
    if (code !== 200) throw new ServiceError(code, reply);
    return reply;
  }

  async close(): Promise<void> {
    await this.#database.destroy();
  }

  #attempt(command: DocumentCommand, id: string | null): Promise<Outcome> {
    const { command: name } = command;
    if (name === "get" || name === "list") return outcomeOf(this.#database, command);
    return this.#transact(id, async (transaction) => {
      if (id === null || !changes(command)) return outcomeOf(transaction, command);
      const now = Date.now();
      const outcome = await once(transaction, id, command, this.#keeping, now);
      this.#records += 1;
      const every = Math.min(FORGET_EVERY, Math.ceil(this.#keeping.recordsMax / 100));
      if (this.#records % every === 0) await forget(transaction, this.#keeping, now);
      return outcome;
    });
  }

  async #transact(
    id: string | null,
    work: (transaction: Transaction<Tables>) => Promise<Outcome>,
  ): Promise<Outcome> {
    let done = false;
    try {
      return await this.#database.transaction().execute(async (transaction) => {
        const outcome = await work(transaction);
        done = true;
        return outcome;
      });
    } catch (error) {
      const trouble = done ? this.#engine.troubleOf(error) : null;
      if (trouble?.kind !== "down") throw error;
      const sentence = `the database was lost, it may have been changed or not: ${trouble.reason}`;
      throw id === null ? new ServiceError(503, sentence) : new Unconfirmed(sentence);
    }
  }

  #try<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
    return patiently(this.#engine, patience, (trouble) => this.#tell(trouble), work);
  }

  /** Once of an outage, and once of its end. */
  #tell(trouble: Trouble | null) {
    const reachable = trouble?.kind !== "down";
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    this.#log(
      reachable
        ? { event: "database.reached" }
        : { event: "database.unreachable", reason: trouble.reason },
    );
  }
}
