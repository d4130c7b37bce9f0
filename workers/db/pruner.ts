// Forgets old records in the background. Each step is short and a transaction of its own, so neither a
// start nor a client waits for more than one step.

import { setTimeout as delay } from "node:timers/promises";
import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Engine, Tables } from "./engine.ts";
import type { DatabaseEvent } from "./events.ts";
import {
  calls,
  DROPPED,
  KEPT_BYTES_MAX,
  NAMES_MAX,
  RECORD_BYTES,
  type Retention,
} from "./retention.ts";

/** After this part of a bound was recorded by this worker, it looks for a surplus. */
const PART = 0.05;

/** The longest time between two deletions of expired records, in ms. */
const EXPIRY_MS_MAX = 60_000;

/**
 * The records of a step. They double after a quick step, and halve after a slow one, down to `least`:
 * the flush of a commit takes its time for any number. A step that is canceled is repeated with less.
 */
const STEP = { first: 20, least: 20, most: 1000, quickMs: 50, slowMs: 150 };

/** The records that one query counts. */
const PAGE = 5000;

/** After so many failures in a row, a pass ends. The next one goes on. */
const FAILURES_MAX = 20;
const FAILURE_PAUSE_MS = 100;

/** The sizes of some records: their number, their bytes, and the bytes of large outcomes beyond. */
type Sizes = { count: number; small: number; large: number };

/** The sizes of all records from the time `from` to the time before which they were queried. */
type Page = Sizes & { from: number };

export class Pruner {
  readonly #engine: Engine;
  readonly #database: Kysely<Tables>;
  readonly #retention: Retention;
  readonly #ttlMs: number;
  readonly #log: (event: DatabaseEvent) => void;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #pass: Promise<void> | null = null;
  #isAnotherDue = false;
  #recorded = { requests: 0, bytes: 0 }; // By this worker, since its last look for a surplus.
  #limit = STEP.first;
  #isShort = false;
  #isStuck = false;

  /** `ttlMs`: records that go before this age are logged, because calls may last as long. */
  constructor(
    engine: Engine,
    database: Kysely<Tables>,
    retention: Retention,
    ttlMs: number,
    log: (event: DatabaseEvent) => void,
  ) {
    this.#engine = engine;
    this.#database = database;
    this.#retention = retention;
    this.#ttlMs = ttlMs;
    this.#log = log;
  }

  /** Begins with a first pass. */
  start() {
    const everyMs = Math.min(EXPIRY_MS_MAX, Math.ceil(this.#retention.recordsMs / 4));
    this.#timer = setInterval(() => this.#begin(false), everyMs).unref();
    this.#begin(true);
  }

  /** Counts a request that this worker recorded, with the bytes of its outcome. */
  recorded(bytes: number) {
    const { recordsMax, recordsBytesMax } = this.#retention;
    this.#recorded.requests += 1;
    this.#recorded.bytes += NAMES_MAX * (bytes + RECORD_BYTES);
    const { requests } = this.#recorded;
    if (requests < PART * recordsMax && this.#recorded.bytes < PART * recordsBytesMax) return;
    this.#begin(true);
  }

  /** Ends after the present step. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await this.#pass;
  }

  #begin(surplusToo: boolean) {
    if (this.#closing.signal.aborted) return;
    if (this.#pass) {
      this.#isAnotherDue ||= surplusToo;
      return;
    }
    if (surplusToo) this.#recorded = { requests: 0, bytes: 0 };
    this.#pass = this.#run(surplusToo)
      .catch((error: unknown) => this.#failed(error))
      .then(() => {
        this.#pass = null;
        if (!this.#isAnotherDue) return;
        this.#isAnotherDue = false;
        this.#begin(true);
      });
  }

  async #run(surplusToo: boolean) {
    const expired = sql<number>`${this.#engine.now()} - ${this.#retention.recordsMs}`;
    await this.#steps((limit) => this.#delete(expired, limit));
    if (surplusToo) {
      const surplus = await this.#surplus();
      await this.#logShortness(surplus);
      if (surplus !== null) {
        await this.#steps((limit) => this.#delete(sql<number>`${surplus}`, limit));
      }
    }
    while (await this.#attempt(async () => this.#engine.reclaim()));
    this.#isStuck = false;
  }

  /**
   * Goes through the records from the newest one. Drops the large outcomes that exceed their half of
   * the bytes. Returns the time before which all records exceed a bound, or null.
   */
  async #surplus(): Promise<number | null> {
    let sum: Sizes = { count: 0, small: 0, large: 0 };
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const page = await this.#page(before);
      if (page.count === 0) return null;
      const next = plus(sum, page);
      if (page.large > 0 && this.#hasTooLarge(next)) {
        const end = this.#hasTooLarge(sum)
          ? before
          : 1 + (await this.#firstAt(page, before, sum, (sizes) => this.#hasTooLarge(sizes)));
        await this.#steps((limit) => this.#dropOutcomes(page.from, end, limit));
      }
      if (this.#hasTooMany(next)) {
        return await this.#firstAt(page, before, sum, (sizes) => this.#hasTooMany(sizes));
      }
      sum = next;
      before = page.from;
    }
  }

  #hasTooMany({ count, small }: Sizes): boolean {
    const { recordsMax, recordsBytesMax } = this.#retention;
    return count > NAMES_MAX * recordsMax || small > recordsBytesMax / 2;
  }

  #hasTooLarge({ large }: Sizes): boolean {
    return large > this.#retention.recordsBytesMax / 2;
  }

  /** The sizes of the newest records before this time: about PAGE, with all records of one time. */
  async #page(before: number): Promise<Page> {
    const earlier = this.#database.selectFrom("records").where("at", "<", before);
    const edge = earlier
      .select("at")
      .orderBy("at", "desc")
      .offset(PAGE - 1)
      .limit(1);
    const page = earlier
      .where((eb) => eb("at", ">=", eb.fn.coalesce(edge, sql<number>`0`)))
      .select([
        sql<number>`count(*)`.as("count"),
        sql<number>`coalesce(sum(${SMALL}), 0)`.as("small"),
        sql<number>`coalesce(sum(${LARGE}), 0)`.as("large"),
        sql<number>`coalesce(min(at), 0)`.as("from"),
      ]);
    return await this.#attempt(() => page.executeTakeFirstOrThrow());
  }

  /** The time of the first record of this page, from the newest one, with which `test` is true. */
  async #firstAt(
    { from }: Page,
    before: number,
    sum: Sizes,
    test: (sizes: Sizes) => boolean,
  ): Promise<number> {
    const rows = this.#database
      .selectFrom("records")
      .select(["at", SMALL.as("small"), LARGE.as("large")])
      .where("at", "<", before)
      .where("at", ">=", from)
      .orderBy("at", "desc");
    let sizes = sum;
    for (const { at, small, large } of await this.#attempt(() => rows.execute())) {
      sizes = plus(sizes, { count: 1, small, large });
      if (test(sizes)) return at;
    }
    return from; // Another worker deleted some meanwhile.
  }

  /** Deletes the oldest records before this time, at most `limit`; returns their number. */
  async #delete(before: RawBuilder<number>, limit: number): Promise<number> {
    const oldest = this.#database
      .selectFrom("records")
      .select("id")
      .where("at", "<", before)
      .orderBy("at")
      .limit(limit)
      .forUpdate()
      .skipLocked();
    const query = this.#database.deleteFrom("records").where("id", "in", oldest);
    return Number((await query.executeTakeFirstOrThrow()).numDeletedRows);
  }

  /** Drops the large outcomes of this span of time, at most `limit`; returns their number. */
  async #dropOutcomes(from: number, before: number, limit: number): Promise<number> {
    const some = this.#database
      .selectFrom("records")
      .select("id")
      .where("at", ">=", from)
      .where("at", "<", before)
      .where(LARGE, ">", 0)
      .limit(limit)
      .forUpdate()
      .skipLocked();
    const query = this.#database.updateTable("records").set(DROPPED).where("id", "in", some);
    return Number((await query.executeTakeFirstOrThrow()).numUpdatedRows);
  }

  /** Repeats a step until it has less to do than it may. */
  async #steps(step: (limit: number) => Promise<number>) {
    for (;;) {
      const limit = this.#limit;
      const begunAt = performance.now();
      const done = await this.#attempt(() => step(this.#limit));
      const tookMs = performance.now() - begunAt;
      if (tookMs > STEP.slowMs) this.#limit = halfOf(this.#limit);
      if (tookMs < STEP.quickMs) this.#limit = Math.min(STEP.most, 2 * this.#limit);
      if (done < Math.min(limit, this.#limit)) return;
    }
  }

  /** Executes one query, again while the database is busy, and then pauses for as long as it took. */
  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      this.#closing.signal.throwIfAborted();
      const begunAt = performance.now();
      try {
        const result = await work();
        await this.#pause(performance.now() - begunAt);
        return result;
      } catch (error) {
        if (this.#engine.failureOf(error)?.kind !== "busy" || failures === FAILURES_MAX)
          throw error;
        this.#limit = Math.ceil(this.#limit / 4); // The step may have taken too long.
        await this.#pause(FAILURE_PAUSE_MS);
      }
    }
  }

  #pause(ms: number) {
    return delay(ms, undefined, { signal: this.#closing.signal });
  }

  /** Logs that a bound removes records before calls end, once until it does not. */
  async #logShortness(surplus: number | null) {
    const wasShort = this.#isShort;
    const ageMs = surplus === null ? Number.POSITIVE_INFINITY : await this.#ageOf(surplus);
    this.#isShort = ageMs < this.#ttlMs;
    if (!this.#isShort || wasShort) return;
    const bounds = "MDP_DB_RECORDS_MAX or MDP_DB_RECORDS_BYTES_MAX";
    const reason = `${bounds} is reached by the changes of ${ageMs} ms, less than ${calls(this.#ttlMs)}`;
    this.#log({ event: "records.short", reason });
  }

  async #ageOf(at: number): Promise<number> {
    const query = sql<{ ms: number }>`select ${this.#engine.now()} - ${at} as ms`;
    const { rows } = await this.#attempt(() => query.execute(this.#database));
    return Math.max(0, rows[0]?.ms ?? 0);
  }

  /** An outage ends a pass and has its own log lines. So has the end of this worker. */
  #failed(error: unknown) {
    if (this.#closing.signal.aborted) return;
    const failure = this.#engine.failureOf(error);
    if (failure === null) throw error;
    if (this.#isStuck || failure.kind === "busy" || failure.kind === "down") return;
    this.#isStuck = true;
    this.#log({ event: "records.stuck", reason: failure.reason });
  }
}

/** Half of a limit, but not less than `least`, and not more than the limit. */
const halfOf = (limit: number) => Math.min(limit, Math.max(STEP.least, Math.ceil(limit / 2)));

const LENGTH = sql<number>`octet_length(reply)`;
const LARGE = sql<number>`case when ${LENGTH} > ${sql.lit(KEPT_BYTES_MAX)}
  then ${LENGTH} - ${sql.lit(KEPT_BYTES_MAX)} else 0 end`;
const SMALL = sql<number>`octet_length(id) + ${LENGTH} - ${LARGE} + ${sql.lit(RECORD_BYTES)}`;

const plus = (one: Sizes, other: Sizes): Sizes => ({
  count: one.count + other.count,
  small: one.small + other.small,
  large: one.large + other.large,
});
