// The start times of requests. Closed loop: a request starts when an earlier one ends. Open loop:
// requests start at a fixed rate; a request that starts late keeps its intended time.

/** Computes when the next request is due. All times are in ms of one clock. */
export class Pace {
  readonly #intervalMs: number; // Between two intended starts; 0 in a closed loop.
  readonly #firstAt: number;
  #started = 0;

  /** `ratePerSecond` null: a closed loop. */
  constructor(ratePerSecond: number | null, now: number) {
    this.#intervalMs = ratePerSecond === null ? 0 : 1000 / ratePerSecond;
    this.#firstAt = now;
  }

  /** Returns the due time of the next request, which lies in the past if the request is late. */
  nextAt(now: number): number {
    return this.#intervalMs === 0 ? now : this.#firstAt + this.#started * this.#intervalMs;
  }

  /** Counts a started request. */
  start() {
    this.#started++;
  }

  /** Returns the number of requests that were due before `now` and have not started. */
  behind(now: number): number {
    return this.#intervalMs === 0
      ? 0
      : Math.max(0, Math.ceil((now - this.nextAt(now)) / this.#intervalMs));
  }
}

/**
 * Starts requests at this pace until `stop`, with at most `outstandingMax` outstanding. Resolves
 * when the last one has ended; rejects as soon as one rejects. `request` receives its intended
 * start time.
 */
export function keepStarting(
  pace: Pace,
  outstandingMax: number,
  stop: AbortSignal,
  request: (intendedAt: number) => Promise<void>,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let outstanding = 0;
  let timer: NodeJS.Timeout | undefined;
  const startDue = () => {
    clearTimeout(timer);
    while (!stop.aborted && outstanding < outstandingMax) {
      const now = performance.now();
      const intendedAt = pace.nextAt(now);
      if (intendedAt > now) {
        timer = setTimeout(startDue, intendedAt - now);
        break;
      }
      pace.start();
      outstanding++;
      request(intendedAt).then(end, reject);
    }
    if (stop.aborted && outstanding === 0) resolve();
  };
  const end = () => {
    outstanding--;
    startDue();
  };
  stop.addEventListener("abort", startDue, { once: true });
  startDue();
  return promise;
}
