// When requests start. Closed loop: as soon as an earlier one has ended. Open loop: at a fixed
// rate, whatever became of the earlier ones; a start that comes late keeps its intended time.

/** Decides when the next request is due. All times are in ms of one clock. */
export class Pace {
  readonly #intervalMs: number; // Between two intended starts; 0 in a closed loop.
  readonly #firstAt: number;
  #started = 0;

  /** Without a rate, a closed loop. */
  constructor(ratePerSecond: number | null, now: number) {
    this.#intervalMs = ratePerSecond === null ? 0 : 1000 / ratePerSecond;
    this.#firstAt = now;
  }

  /** When the next request is to start; in the past if it is late. */
  nextAt(now: number): number {
    return this.#intervalMs === 0 ? now : this.#firstAt + this.#started * this.#intervalMs;
  }

  start() {
    this.#started++;
  }

  /** How many requests should have started before `now` and did not. */
  behind(now: number): number {
    return this.#intervalMs === 0
      ? 0
      : Math.max(0, Math.ceil((now - this.nextAt(now)) / this.#intervalMs));
  }
}

/**
 * Starts requests at this pace until `stop`, at most so many at once, and resolves when the last
 * one has ended. `request` is given the intended time of its start.
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
