// Checks the executions of a history: begun and finished, by which worker, under which id, in which
// order and when. history.ts checks the requests and their outcomes.

import type { Expectations, HistoryEvent } from "./history-events.ts";

/** How much earlier an event may seem than its cause, in ms: logs and clients round their times. */
const ROUNDING_MS = 5;

type Began = Extract<HistoryEvent, { event: "began" }>;
type Asked = Extract<HistoryEvent, { event: "asked" }>;

/** The executions of one request. */
type Executed = { begun: number; finished: number; firstAt: number; firstFinishedAt: number };

export class Executions {
  /** The number of executions by request id. */
  readonly byId = new Map<string, number>();
  readonly #expectations: Expectations;
  readonly #violation: (sentence: string) => void;
  readonly #nameOf = new Map<string, string>(); // By request id.
  readonly #open = new Map<string, number>(); // Begun and not finished, by worker and id.
  readonly #repeats = new Map<string, string>(); // The request that each request repeats.
  readonly #executed = new Map<string, Executed>(); // By request.
  readonly #replies: { request: string; at: number }[] = [];
  readonly #askedAt = new Map<string, number>();
  readonly #lastAt = new Map<string, number>(); // By recorder: a client or a worker.

  constructor(expectations: Expectations, violation: (sentence: string) => void) {
    this.#expectations = expectations;
    this.#violation = violation;
  }

  asked({ request, client, again, at }: Asked) {
    if (again !== undefined) this.#repeats.set(request, again);
    if (at !== undefined) this.#askedAt.set(request, at);
    this.#inOrder(client, at);
  }

  began({ worker, id, request, at }: Began) {
    this.#inOrder(worker, at);
    this.byId.set(id, (this.byId.get(id) ?? 0) + 1);
    const place = `${worker} ${id}`;
    this.#open.set(place, (this.#open.get(place) ?? 0) + 1);
    if (request === undefined) return;
    const name = this.#nameOf.get(id) ?? request;
    if (this.#origin(name) !== this.#origin(request)) {
      this.#violation(`${worker} began ${request} under the id of ${name}`);
    }
    this.#nameOf.set(id, request);
    const executed = this.#of(request);
    executed.begun += 1;
    executed.firstAt = Math.min(executed.firstAt, at ?? Number.NEGATIVE_INFINITY);
  }

  /** Returns whether this worker had begun the execution. */
  finished({ worker, id, at }: Extract<HistoryEvent, { event: "finished" }>): boolean {
    this.#inOrder(worker, at);
    const place = `${worker} ${id}`;
    const open = this.#open.get(place) ?? 0;
    if (open === 0) return false;
    this.#open.set(place, open - 1);
    const name = this.#nameOf.get(id);
    if (name === undefined) return true;
    const executed = this.#of(name);
    executed.finished += 1;
    const finishedAt = at ?? Number.NEGATIVE_INFINITY;
    executed.firstFinishedAt = Math.min(executed.firstFinishedAt, finishedAt);
    return true;
  }

  /** An outcome of a request; `answers` is the request that its reply names, or null. */
  ended(request: string, client: string, answers: string | null, at: number | undefined) {
    this.#inOrder(client, at);
    if (answers === null || at === undefined) return;
    for (const name of new Set([request, answers])) {
      const asked = this.#askedAt.get(name);
      if (asked !== undefined && at + ROUNDING_MS < asked) {
        this.#violation(`${request} got the reply to ${name} before a client sent that`);
      }
    }
    this.#replies.push({ request, at });
  }

  /** Checks the rules that need the whole history. */
  end() {
    const { extraExecutionsMax, allBegan, allFinished } = this.#expectations;
    let extra = 0;
    for (const [name, { begun, firstAt }] of this.#executed) {
      extra += Math.max(0, begun - 1);
      const asked = Math.min(...this.#family(name).map((one) => this.#askedAt.get(one) ?? firstAt));
      if (firstAt + ROUNDING_MS < asked) this.#violation(`${name} began before a client sent it`);
    }
    if (extraExecutionsMax !== undefined && extra > extraExecutionsMax) {
      this.#violation(`${extra} executions again, and the faults explain ${extraExecutionsMax}`);
    }
    for (const { request, at } of this.#replies) {
      const executed = this.#family(request).flatMap((one) => this.#executed.get(one) ?? []);
      const sum = (count: (one: Executed) => number) =>
        executed.reduce((sum, one) => sum + count(one), 0);
      const firstAt = Math.min(...executed.map(({ firstAt }) => firstAt));
      const firstFinishedAt = Math.min(...executed.map((one) => one.firstFinishedAt));
      const begun = sum((one) => one.begun);
      const knowsEnds = allFinished || (begun > 0 && begun === sum((one) => one.finished));
      if ((allBegan || begun > 0) && firstAt > at + ROUNDING_MS) {
        this.#violation(`${request} got a reply before a worker began it`);
      } else if (knowsEnds && firstFinishedAt > at + ROUNDING_MS) {
        this.#violation(`${request} got a reply before a worker finished it`);
      }
    }
  }

  /** The number of finished executions of a request, or of those that it repeats. */
  finishedOf(request: string): number {
    const counts = this.#family(request).map((one) => this.#executed.get(one)?.finished ?? 0);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** A recorder notes its events in the order in which they happen. */
  #inOrder(recorder: string, at: number | undefined) {
    if (at === undefined) return;
    const last = this.#lastAt.get(recorder) ?? at;
    if (at < last) this.#violation(`${recorder} recorded an event ${last - at} ms before its last`);
    this.#lastAt.set(recorder, at);
  }

  #of(request: string): Executed {
    const none = { begun: 0, finished: 0 };
    const times = { firstAt: Number.POSITIVE_INFINITY, firstFinishedAt: Number.POSITIVE_INFINITY };
    const executed = this.#executed.get(request) ?? { ...none, ...times };
    this.#executed.set(request, executed);
    return executed;
  }

  /** The first request that this one repeats, or itself. */
  #origin(request: string): string {
    const before = this.#repeats.get(request);
    return before === undefined ? request : this.#origin(before);
  }

  #family(request: string): string[] {
    const before = this.#repeats.get(request);
    return before === undefined ? [request] : [request, ...this.#family(before)];
  }
}
