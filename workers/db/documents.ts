// The documents of the db service: JSON values under keys, in a database that many workers share.

import { Kysely, type Transaction } from "kysely";
import { ServiceError } from "../worker.ts";
import { changes, outcomeOf } from "./commands.ts";
import type { DocumentCommand, DocumentRequest } from "./document-command.ts";
import type { CommandOutcome, DatabaseFailure, Engine, Tables } from "./engine.ts";
import type { DatabaseEvent } from "./events.ts";
import { migrate } from "./migrations.ts";
import { namesOf, once, type RequestIds } from "./once.ts";
import { Pruner } from "./pruner.ts";
import { type Retention, shortness } from "./retention.ts";
import { CommitInDoubt, type RetryLimits, withRetry } from "./retry.ts";

/** For how long a request retries a database that is down, in ms, before its client gets a 503. */
const DOWN_MS = 3000;

export class Documents {
  readonly #engine: Engine;
  readonly #retention: Retention;
  readonly #log: (event: DatabaseEvent) => void;
  readonly #database: Kysely<Tables>;
  readonly #ttlMs: number;
  readonly #pruner: Pruner;
  #state: "reached" | "down" | "refused" = "reached";
  #crowdLoggedAt = Number.NEGATIVE_INFINITY;

  /** `ttlMs` is how long calls last: the log says so if their records may go earlier. */
  constructor(
    engine: Engine,
    retention: Retention,
    ttlMs: number,
    log: (event: DatabaseEvent) => void,
  ) {
    this.#engine = engine;
    this.#retention = retention;
    this.#ttlMs = ttlMs;
    this.#log = log;
    this.#database = new Kysely({ dialect: engine.dialect });
    this.#pruner = new Pruner(engine, this.#database, retention, ttlMs, log);
  }

  /**
   * Migrates the tables, and begins to prune old records in the background. Throws a ServiceError with
   * the reason if the migration fails.
   */
  async prepare(limits: RetryLimits): Promise<void> {
    const migrations = await this.#try(limits, () => migrate(this.#database, this.#engine));
    const { name: engine, where } = this.#engine;
    this.#log({ event: "database.opened", engine, where, ...migrations });
    const reason = shortness(this.#retention, this.#ttlMs);
    if (reason !== null) this.#log({ event: "records.short", reason });
    this.#pruner.start();
  }

  /**
   * Executes a request and returns its reply, which is JSON. Throws a ServiceError if the command
   * is rejected. A change is made once per id, however often the request comes. The id is the
   * client's own in the command; without it both `id` and `requestId` count.
   */
  async execute(
    { command, id: clientId }: DocumentRequest,
    { id, requestId, signal }: RequestIds & { signal: AbortSignal },
  ): Promise<string> {
    const names = namesOf(clientId, { id, requestId });
    const limits = { downMs: DOWN_MS, signal };
    const { code, reply } = await this.#try(limits, () => this.#attempt(command, names));
    if (code !== 200) throw new ServiceError(code, reply);
    return reply;
  }

  async close(): Promise<void> {
    await this.#pruner.close();
    await this.#database.destroy();
  }

  #attempt(command: DocumentCommand, names: string[]): Promise<CommandOutcome> {
    const { command: name } = command;
    if (name === "get" || name === "list") return outcomeOf(this.#database, command);
    return this.#transact(names, async (transaction) => {
      if (command.command === "batch" && changes(command)) {
        const keys = command.commands.map(({ key }) => key);
        await this.#engine.lockKeys(transaction, keys);
      }
      if (names.length === 0 || !changes(command)) return outcomeOf(transaction, command);
      const outcome = await once(transaction, names, command, this.#retention, this.#engine);
      this.#pruner.recorded(Buffer.byteLength(outcome.reply));
      return outcome;
    });
  }

  async #transact(
    names: string[],
    work: (transaction: Transaction<Tables>) => Promise<CommandOutcome>,
  ): Promise<CommandOutcome> {
    let isDone = false; // All but the commit.
    try {
      return await this.#database.transaction().execute(async (transaction) => {
        const outcome = await work(transaction);
        isDone = true;
        return outcome;
      });
    } catch (error) {
      const failure = isDone ? this.#engine.failureOf(error) : null;
      if (failure?.kind !== "down") throw error;
      const lost = "the database was lost during the commit, it may be changed or not";
      const sentence = `${lost}: ${failure.reason}`;
      throw names.length === 0 ? new ServiceError(503, sentence) : new CommitInDoubt(sentence);
    }
  }

  #try<T>(limits: RetryLimits, work: () => Promise<T>): Promise<T> {
    return withRetry(this.#engine, limits, (failure) => this.#logState(failure), work);
  }

  /** Logs the start of an outage or of a refusal, and its end. */
  #logState(failure: DatabaseFailure | null) {
    if (failure?.kind === "crowded") return this.#logCrowd(failure.reason, failure.advice);
    const state =
      failure?.kind === "down" || failure?.kind === "refused" ? failure.kind : "reached";
    if (state === this.#state) return;
    this.#state = state;
    if (failure?.kind === "refused") {
      const { reason, advice } = failure;
      this.#log({ event: "database.refused", reason, advice });
    } else if (failure?.kind === "down") {
      this.#log({ event: "database.unreachable", reason: failure.reason });
    } else this.#log({ event: "database.reached" });
  }

  /** Some requests may get a connection meanwhile, so the log has one line per minute. */
  #logCrowd(reason: string, advice: string) {
    const now = performance.now();
    if (now - this.#crowdLoggedAt < CROWD_LOG_MS) return;
    this.#crowdLoggedAt = now;
    this.#log({ event: "database.refused", reason, advice });
  }
}

const CROWD_LOG_MS = 60_000;
