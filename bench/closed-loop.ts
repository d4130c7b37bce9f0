// The loop of every load generator. It keeps a fixed number of requests open: each reply starts the
// next request. It allocates no promise, timer or object per request.

import { setTimeout } from "node:timers/promises";
import { build } from "hdr-histogram-js";
import type { LoadOptions } from "./arguments.ts";

/** Carries one open request at a time. */
export type Slot = {
  /** From 0. No two open requests have the same index. */
  readonly index: number;
  /** The connection that sends the requests of this slot, from 0. */
  readonly client: number;
  /** The service of the current request. */
  service: string;
  /** Call it when the reply arrives. It sends the next request before it returns. */
  done(replyBytes: number): void;
  /** Call it when the request has failed. The next request follows in the next event-loop turn. */
  failed(error: Error): void;
};

/** Sends requests for the given time, prints the two lines of system.ts, and ends the process. */
export async function closedLoop(options: LoadOptions, send: (slot: Slot) => void): Promise<never> {
  const loop = new Loop(options, send);
  loop.start();
  await setTimeout(options.warmupSeconds * 1000);
  loop.startCounting();
  await setTimeout(options.seconds * 1000);
  const figures = loop.stop();
  const errors = figures.errors + (await loop.unanswered());
  print({ event: "done", ...figures, errors });
  process.exit();
}

const UNANSWERED_AFTER_MS = 5000;

class Loop {
  readonly #options: LoadOptions;
  readonly #send: (slot: Slot) => void;
  readonly #latenciesUs = build({ bitBucketSize: 32, numberOfSignificantValueDigits: 3 });
  readonly #sentAt: number[];
  #countingSince = 0;
  #sent = 0;
  #requests = 0;
  #errors = 0;
  #errorPrinted = false;
  #stopped = false;

  constructor(options: LoadOptions, send: (slot: Slot) => void) {
    this.#options = options;
    this.#send = send;
    this.#sentAt = new Array(options.outstanding).fill(0);
  }

  start() {
    for (let index = 0; index < this.#options.outstanding; index++) this.#next(this.#slot(index));
  }

  /** Resets all counters. */
  startCounting() {
    this.#requests = this.#errors = 0;
    this.#latenciesUs.reset();
    print({ event: "begun" });
    this.#countingSince = performance.now();
  }

  /** Sends no further request. Returns the figures. */
  stop() {
    this.#stopped = true;
    const us = this.#latenciesUs;
    return {
      requests: this.#requests,
      seconds: (performance.now() - this.#countingSince) / 1000,
      p50: us.getValueAtPercentile(50),
      p99: us.getValueAtPercentile(99),
      p999: us.getValueAtPercentile(99.9),
      errors: this.#errors,
    };
  }

  /** Waits for requests that were open during the whole count. Returns how many got no reply. */
  async unanswered(): Promise<number> {
    const deadline = performance.now() + UNANSWERED_AFTER_MS;
    while (this.#openAllTheTime() > 0 && performance.now() < deadline) await setTimeout(20);
    const unanswered = this.#openAllTheTime();
    if (unanswered > 0) console.error(`requests without a reply: ${unanswered}`);
    return unanswered;
  }

  #openAllTheTime(): number {
    return this.#sentAt.filter((sentAt) => sentAt < this.#countingSince).length;
  }

  #slot(index: number): Slot {
    const slot = {
      index,
      client: index % this.#options.clients,
      service: "",
      done: (replyBytes: number) => this.#done(slot, replyBytes),
      failed: (error: Error) => this.#failed(slot, error),
    };
    return slot;
  }

  #next(slot: Slot, now = performance.now()) {
    this.#sentAt[slot.index] = Infinity;
    if (this.#stopped) return;
    const { services } = this.#options;
    slot.service = services[this.#sent++ % services.length] as string;
    this.#sentAt[slot.index] = now;
    this.#send(slot);
  }

  #done(slot: Slot, replyBytes: number) {
    const { bytes } = this.#options;
    if (replyBytes !== bytes) throw new Error(`a reply has ${replyBytes} bytes, not ${bytes}`);
    this.#requests++;
    const now = performance.now();
    const latencyMs = now - (this.#sentAt[slot.index] as number);
    this.#latenciesUs.recordValue(Math.round(latencyMs * 1000));
    this.#next(slot, now);
  }

  #failed(slot: Slot, error: Error) {
    if (!this.#errorPrinted) console.error(`the first error: ${error.message}`);
    this.#errorPrinted = true;
    this.#errors++;
    setImmediate(() => this.#next(slot)); // A send that fails at once would recurse without end.
  }
}

function print(event: object) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
