// The requests of a run: sends them at a constant rate, also during faults, and records each outcome.

import type { Client } from "../../clients/client.ts";
import type { Exchange } from "../../clients/load/exchange.ts";
import { outcomeOf } from "../../clients/load/outcome.ts";
import { keepStarting, Pace } from "../../clients/load/schedule.ts";
import { type Mix, Workload } from "../../clients/load/workload.ts";
import type { RecordedOutcome, RecordingClient } from "../containers/recording-client.ts";
import type { Stack } from "../containers/stack.ts";
import type { Service } from "./fault-schedule.ts";
import { type ChaosOutcome, RequestLog } from "./request-log.ts";

const CLIENTS = 2; // For each of the two kinds of requests.
const CHECKED_PER_SECOND = 50; // Requests to echo, math and db, per client.
const SLOW_PER_SECOND = 10; // Requests to slow, per client; its workers log two lines per request.
const MIX: Mix = new Map([
  ["echo", 6],
  ["math", 2],
  ["db", 2],
]);
export const REQUESTS_PER_SECOND = CLIENTS * (CHECKED_PER_SECOND + SLOW_PER_SECOND);

/** The longest work of a request to `slow`, in ms. */
const WORK_MS_MAX = 50;

/** The timeout of a request, in ms: many times longer than any fault and its recovery. */
export const TIMEOUT_MS = 60_000;

const OUTSTANDING_MAX = 5000;
const EXAMPLES_MAX = 20;

export class Traffic {
  readonly requests = new RequestLog();
  /** The first requests without a correct reply, one sentence each. */
  readonly examples: string[] = [];
  #clients: Client[] = [];
  #stop = new AbortController();
  #start = performance.now();
  #ended: Promise<unknown>;

  constructor(stack: Stack) {
    const clients = Array.from({ length: CLIENTS }, () => stack.client());
    const recording = Array.from({ length: CLIENTS }, () => stack.recordingClient());
    this.#clients = [...clients, ...recording.map(({ client }) => client)];
    this.#ended = Promise.all([
      ...clients.map((client) => this.#sendChecked(client)),
      ...recording.map((client) => this.#sendSlow(client)),
    ]);
  }

  /** Resolves when every request has its outcome; closes the clients if that takes too long. */
  async drain() {
    this.#stop.abort();
    const closing = setTimeout(() => {
      for (const client of this.#clients) client.close();
    }, TIMEOUT_MS + CLOSING_MS);
    await this.#ended;
    clearTimeout(closing);
  }

  /** Unmatched replies and retries, summed over all clients. */
  get clientCounters() {
    const sum = (of: (client: Client) => number) =>
      this.#clients.reduce((total, client) => total + of(client), 0);
    return {
      duplicate: sum(({ unmatchedReplies }) => unmatchedReplies.duplicate),
      late: sum(({ unmatchedReplies }) => unmatchedReplies.late),
      resent: sum(({ retries }) => retries),
    };
  }

  #sendChecked(client: Client) {
    const workload = new Workload(MIX);
    return this.#keepSending(CHECKED_PER_SECOND, (start) => {
      const exchange = workload.next();
      return start(exchange.service as Service, () => outcomeOfChecked(client, exchange));
    });
  }

  #sendSlow(client: RecordingClient) {
    let sent = 0;
    return this.#keepSending(SLOW_PER_SECOND, (start) => {
      sent += 1;
      const work = (sent * 7) % WORK_MS_MAX;
      const options = { timeoutMs: TIMEOUT_MS };
      return start("slow", async () => outcomeOfSlow(await client.request(work, options)));
    });
  }

  #keepSending(perSecond: number, send: (start: Start) => Promise<void>): Promise<void> {
    const pace = new Pace(perSecond, performance.now());
    return keepStarting(pace, OUTSTANDING_MAX, this.#stop.signal, (intendedAt) =>
      send(async (service, outcome) => {
        this.requests.begin(service);
        const [name, reason] = await outcome();
        this.#end(service, name, reason, intendedAt);
      }),
    );
  }

  #end(service: Service, outcome: ChaosOutcome, reason: string, intendedAt: number) {
    const at = performance.timeOrigin + intendedAt;
    this.requests.end({ service, outcome, at, latencyMs: performance.now() - intendedAt });
    if (outcome !== "answered" && this.examples.length < EXAMPLES_MAX)
      this.examples.push(
        `${outcome}: to ${service}, at ${seconds(intendedAt - this.#start)}: ${reason}`,
      );
  }
}

type OutcomeAndReason = [outcome: ChaosOutcome, reason: string];

type Start = (service: Service, outcome: () => Promise<OutcomeAndReason>) => Promise<void>;

/** A request without a reply in time is lost, also if a retry succeeds later. */
async function outcomeOfChecked(client: Client, exchange: Exchange): Promise<OutcomeAndReason> {
  let lost = false;
  const { name, reason } = await outcomeOf(client, exchange, TIMEOUT_MS, () => {
    lost = true;
  });
  if (name === "unfinished") return ["lost", reason]; // drain() closed the client.
  if (!lost) return [name, reason];
  return ["lost", `no reply within ${TIMEOUT_MS} ms; then ${name} ${reason}`.trimEnd()];
}

/** The checker of the history finds wrong replies, so any reply counts as answered here. */
function outcomeOfSlow(outcome: RecordedOutcome): OutcomeAndReason {
  if ("answers" in outcome) return ["answered", ""];
  const { error = "" } = outcome;
  const reason = "refused" in outcome ? outcome.refused : outcome.unknown;
  return [REJECTIONS.includes(error) ? "refused" : "lost", `${error}: ${reason}`];
}

/** Errors that are no timeouts: the broker rejected the request, or its service failed. */
const REJECTIONS = ["ServiceFailed", "QueueFull", "Quarantined", "Refused"];

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

const CLOSING_MS = 5000; // Longer than the broker's verdict on a timed-out call may take.
