// The requests of a run, at a steady rate whatever goes wrong, and what becomes of each.

import type { Client } from "../../clients/client.ts";
import type { Exchange } from "../../clients/load/exchange.ts";
import { outcomeOf } from "../../clients/load/outcome.ts";
import { keepStarting, Pace } from "../../clients/load/schedule.ts";
import { type Mix, Workload } from "../../clients/load/workload.ts";
import type { Asker, Told } from "../containers/asker.ts";
import type { Stack } from "../containers/stack.ts";
import { type OutcomeName, Requests } from "./requests.ts";
import type { Service } from "./schedule.ts";

const CLIENTS = 2; // Of each sort.
const CHECKED_PER_SECOND = 50; // Of echo, math and db, by each of its clients.
const SLOW_PER_SECOND = 10; // Likewise. Its workers log two lines for each.
const MIX: Mix = new Map([
  ["echo", 6],
  ["math", 2],
  ["db", 2],
]);
export const PER_SECOND = CLIENTS * (CHECKED_PER_SECOND + SLOW_PER_SECOND);

/** How long a request of `slow` works at most, in ms. */
const WORK_MS_MAX = 50;

/** A request's patience. No fault, and no recovery from one, takes a fraction of it. */
export const PATIENCE_MS = 60_000;

const OUTSTANDING_MAX = 5000;
const EXAMPLES_MAX = 20;

export class Traffic {
  readonly requests = new Requests();
  readonly examples: string[] = []; // What the first requests without the right reply had instead.
  #clients: Client[] = [];
  #stop = new AbortController();
  #start = performance.now();
  #ended: Promise<unknown>;

  constructor(stack: Stack) {
    const pairs = Array.from({ length: CLIENTS }, () => [stack.client(), stack.asker()] as const);
    this.#clients = pairs.flatMap(([client, asker]) => [client, asker.client]);
    this.#ended = Promise.all(
      pairs.flatMap(([client, asker]) => [this.#askChecked(client), this.#askSlow(asker)]),
    );
  }

  /** Resolves when every request has its outcome, if need be by its client being closed. */
  async drain() {
    this.#stop.abort();
    const closing = setTimeout(() => {
      for (const client of this.#clients) client.close();
    }, PATIENCE_MS + CLOSING_MS);
    await this.#ended;
    clearTimeout(closing);
  }

  /** Replies that nobody waited for, and how often clients asked again by themselves. */
  get strays() {
    const sum = (of: (client: Client) => number) =>
      this.#clients.reduce((total, client) => total + of(client), 0);
    return {
      duplicate: sum(({ unmatchedReplies }) => unmatchedReplies.duplicate),
      late: sum(({ unmatchedReplies }) => unmatchedReplies.late),
      resent: sum(({ retries }) => retries),
    };
  }

  #askChecked(client: Client) {
    const workload = new Workload(MIX);
    return this.#keepAsking(CHECKED_PER_SECOND, (start) => {
      const exchange = workload.next();
      return start(exchange.service, () => outcomeOfChecked(client, exchange));
    });
  }

  #askSlow(asker: Asker) {
    let asked = 0;
    return this.#keepAsking(SLOW_PER_SECOND, (start) => {
      asked += 1;
      const work = (asked * 7) % WORK_MS_MAX;
      return start("slow", async () => outcomeOfSlow(await asker.ask(work, PATIENT)));
    });
  }

  #keepAsking(perSecond: number, ask: (start: Start) => Promise<void>): Promise<void> {
    const pace = new Pace(perSecond, performance.now());
    return keepStarting(pace, OUTSTANDING_MAX, this.#stop.signal, (intendedAt) =>
      ask(async (service, outcome) => {
        this.requests.ask(service);
        const [name, reason] = await outcome();
        this.#end(service, name, reason, intendedAt);
      }),
    );
  }

  #end(service: Service, outcome: OutcomeName, reason: string, intendedAt: number) {
    const at = performance.timeOrigin + intendedAt;
    this.requests.end({ service, outcome, at, latencyMs: performance.now() - intendedAt });
    if (outcome !== "answered" && this.examples.length < EXAMPLES_MAX)
      this.examples.push(
        `${outcome}: to ${service}, at ${seconds(intendedAt - this.#start)}: ${reason}`,
      );
  }
}

type Outcome = [name: OutcomeName, reason: string];

type Start = (service: Service, outcome: () => Promise<Outcome>) => Promise<void>;

/** One that has to be asked again is lost, whatever becomes of it then. */
async function outcomeOfChecked(client: Client, exchange: Exchange): Promise<Outcome> {
  let lost = false;
  const { name, reason } = await outcomeOf(client, exchange, PATIENCE_MS, () => {
    lost = true;
  });
  if (!lost) return [name, reason];
  return [
    "lost",
    `no reply within ${PATIENCE_MS} ms; asked again, it was ${name} ${reason}`.trimEnd(),
  ];
}

/** Whether it is the right reply, the judge of the history says. */
function outcomeOfSlow(told: Told): Outcome {
  if ("answers" in told) return ["answered", ""];
  const { error = "" } = told;
  const reason = "refused" in told ? told.refused : told.unknown;
  return [NOES.includes(error) ? "refused" : "lost", `${error}: ${reason}`];
}

/** What is no matter of time: the broker would not have the request, or its service failed. */
const NOES = ["ServiceFailed", "QueueFull", "Quarantined", "Refused"];

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

const PATIENT = { timeoutMs: PATIENCE_MS };
const CLOSING_MS = 5000; // More than the broker's word may take.
