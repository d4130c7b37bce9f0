// The output of a program, line by line: log lines parsed, everything else as text. Tests wait for
// lines with a deadline.

/** One JSON log line of a program. */
export type LogLine = { event?: string; msg?: string; time?: string; [field: string]: unknown };

export class ProcessLog {
  readonly name: string;
  readonly log: LogLine[] = [];
  /** Standard output without the log lines. */
  output = "";
  /** Standard error. */
  errors = "";
  onLine: (line: LogLine) => void = () => {};
  onError: (line: string) => void = () => {};
  #closed = false; // The program has ended, and all its output is here.
  #watchers = new Set<() => void>();

  constructor(name: string) {
    this.name = name;
  }

  /** Adds a line of standard output. */
  read(line: string) {
    const entry = parse(line);
    if (entry) {
      this.log.push(entry);
      this.onLine(entry);
    } else {
      this.output += `${line}\n`;
    }
    this.#wake();
  }

  /** Adds a line of standard error. */
  readError(line: string) {
    this.errors += `${line}\n`;
    this.onError(line);
  }

  /** The output is complete: every `logged` that still waits rejects. */
  close() {
    this.#closed = true;
    this.#wake();
  }

  /** The program runs again and will write more. */
  reopen() {
    this.#closed = false;
  }

  /** All lines of this event. */
  all(event: string): LogLine[] {
    return this.log.filter((line) => line.event === event);
  }

  /**
   * Resolves to the first line of this event that also matches; skips the first `from` lines.
   * Rejects after `withinMs`, or when the program ends without such a line.
   */
  async logged(
    event: string,
    matches: (line: LogLine) => boolean = () => true,
    { withinMs = 60_000, from = 0 } = {},
  ): Promise<LogLine> {
    let found: LogLine | undefined;
    const isLogged = () => {
      found ??= this.log.slice(from).find((line) => line.event === event && matches(line));
      return found !== undefined;
    };
    await this.#until(isLogged, `${this.name} to log ${event}`, withinMs);
    return found as LogLine;
  }

  #wake() {
    for (const watcher of this.#watchers) watcher();
  }

  async #until(condition: () => boolean, awaited: string, withinMs: number) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (reason: string) =>
      reject(new Error(`${reason} while waiting for ${awaited}\n${this.#transcript()}`));
    const timer = setTimeout(() => fail(`timed out after ${withinMs} ms`), withinMs);
    const watcher = () => {
      if (condition()) resolve();
      else if (this.#closed) fail("the program ended");
    };
    this.#watchers.add(watcher);
    watcher();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#watchers.delete(watcher);
    }
  }

  #transcript(): string {
    return [...this.log.map((line) => JSON.stringify(line)), this.output, this.errors].join("\n");
  }
}

/** A log line is a JSON object on one line. */
function parse(line: string): LogLine | null {
  if (!line.startsWith('{"')) return null;
  return JSON.parse(line);
}
