// Counts replies and how long they took, once a program has warmed up, and says the two lines that
// contender.ts asks for.

import { build } from "hdr-histogram-js";
import type { LoadOptions } from "./options.ts";

export class Meter {
  #histogram = build({ highestTrackableValue: 100_000_000, numberOfSignificantValueDigits: 3 });
  #counting = false;
  #requests = 0;
  #errors = 0;
  #begunAt = 0;
  #bytes: number;

  constructor({ warmup, seconds, bytes }: LoadOptions) {
    this.#bytes = bytes;
    setTimeout(() => {
      this.#counting = true;
      this.#begunAt = performance.now();
      process.stdout.write('{"event":"begun"}\n');
      setTimeout(() => this.#done(), seconds * 1000);
    }, warmup * 1000);
  }

  /** A reply of so many bytes came to what was sent at `sentAt`, in ms. Returns the time now. */
  reply(bytes: number, sentAt: number): number {
    const now = performance.now();
    if (!this.#counting) return now;
    this.#requests += 1;
    if (bytes !== this.#bytes) this.#errors += 1;
    this.#histogram.recordValue(Math.round((now - sentAt) * 1000));
    return now;
  }

  /** There was no reply, or it was none. */
  error() {
    this.#errors += 1;
  }

  #done() {
    const seconds = (performance.now() - this.#begunAt) / 1000;
    const [requests, errors] = [this.#requests, this.#errors];
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile);
    const [p50, p99, p999] = [50, 99, 99.9].map(at);
    const line = JSON.stringify({ event: "done", requests, seconds, p50, p99, p999, errors });
    process.stdout.write(`${line}\n`, () => process.exit());
  }
}
