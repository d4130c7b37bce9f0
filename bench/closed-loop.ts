// The loop of every load generator: so many requests are open at any time, and each reply makes room
// for the next request. It makes no promise, timer or object for a request.

import { setTimeout } from "node:timers/promises";
import { build } from "hdr-histogram-js";
import type { LoadOptions } from "./arguments.ts";

/** Room for one open request at a time. */
export type Slot = {
  readonly index: number; // From 0; no two open requests have the same.
  readonly client: number; // Which of the connections asks.
  service: string; // Of the request to ask now.
  /** Its reply has come. Asks the next request before it returns. */
  done(replyBytes: number): void;
  /** Its reply will not come. */
  failed(error: Error): void;
};

/** Asks until the time is over, reports on stdout and ends the process. */
export async function closedLoop(options: LoadOptions, ask: (slot: Slot) => void): Promise<never> {
  const loop = new Loop(options, ask);
  loop.start();
  await setTimeout(options.warmupSeconds * 1000);
  loop.begin();
  await setTimeout(options.seconds * 1000);
  const figures = loop.stop();
  const errors = figures.errors + (await loop.lost());
  say({ event: "done", ...figures, errors });
  process.exit();
}

const LOST_MS = 5000;

class Loop {
  readonly #options: LoadOptions;
  readonly #ask: (slot: Slot) => void;
  readonly #latenciesUs = build({ bitBucketSize: 32, numberOfSignificantValueDigits: 3 });
  readonly #askedAt: number[];
  #begunAt = 0;
  #asked = 0;
  #requests = 0;
  #errors = 0;
  #silent = true;
  #stopped = false;

  constructor(options: LoadOptions, ask: (slot: Slot) => void) {
    this.#options = options;
    this.#ask = ask;
    this.#askedAt = new Array(options.outstanding).fill(0);
  }

  start() {
    for (let index = 0; index < this.#options.outstanding; index++) this.#next(this.#slot(index));
  }

  /** What came before does not count. */
  begin() {
    this.#requests = this.#errors = 0;
    this.#latenciesUs.reset();
    say({ event: "begun" });
    this.#begunAt = performance.now();
  }

  /** No more is asked, and these are the figures. */
  stop() {
    this.#stopped = true;
    const us = this.#latenciesUs;
    return {
      requests: this.#requests,
      seconds: (performance.now() - this.#begunAt) / 1000,
      p50: us.getValueAtPercentile(50),
      p99: us.getValueAtPercentile(99),
      p999: us.getValueAtPercentile(99.9),
      errors: this.#errors,
    };
  }

  /** How many that were open all the time that was measured are not answered later either. */
  async lost(): Promise<number> {
    const deadline = performance.now() + LOST_MS;
    while (this.#unanswered() > 0 && performance.now() < deadline) await setTimeout(20);
    const lost = this.#unanswered();
    if (lost > 0) console.error(`requests without a reply: ${lost}`);
    return lost;
  }

  #unanswered(): number {
    return this.#askedAt.filter((askedAt) => askedAt < this.#begunAt).length;
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
    this.#askedAt[slot.index] = Infinity;
    if (this.#stopped) return;
    const { services } = this.#options;
    slot.service = services[this.#asked++ % services.length] as string;
    this.#askedAt[slot.index] = now;
    this.#ask(slot);
  }

  #done(slot: Slot, replyBytes: number) {
    const { bytes } = this.#options;
    if (replyBytes !== bytes) throw new Error(`a reply has ${replyBytes} bytes, not ${bytes}`);
    this.#requests++;
    const now = performance.now();
    const latencyMs = now - (this.#askedAt[slot.index] as number);
    this.#latenciesUs.recordValue(Math.round(latencyMs * 1000));
    this.#next(slot, now);
  }

  #failed(slot: Slot, error: Error) {
    if (this.#silent) console.error(`the first error: ${error.message}`);
    this.#silent = false;
    this.#errors++;
    setImmediate(() => this.#next(slot)); // Else one that fails at once would fail for ever.
  }
}

function say(event: object) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
