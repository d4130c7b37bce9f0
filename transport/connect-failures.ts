// The failed attempts to connect that a program reports: a broker that stays away must not fill its
// log.

/** Decides per failed attempt. All times are in ms of one clock. */
export class ConnectFailures {
  #last: { code: string; reportedAt: number } | null = null;

  /**
   * True for the first failure since the last connection and for each change of its code; for a
   * failure that lasts, once per REPORT_MS.
   */
  isReported(code: string, now: number): boolean {
    if (this.#last?.code === code && now - this.#last.reportedAt < REPORT_MS) return false;
    this.#last = { code, reportedAt: now };
    return true;
  }

  /** There is a connection: the next failure is the first one. */
  connected() {
    this.#last = null;
  }
}

const REPORT_MS = 10_000;
