// What a program says, a line at a time: log lines parsed, the rest as text. To be waited for, with a
// deadline.

export type LogLine = { event?: string; msg?: string; time?: string; [field: string]: unknown };

export class Journal {
  readonly name: string;
  readonly log: LogLine[] = [];
  output = ""; // What it wrote to standard output and is no log line.
  errors = ""; // What it wrote to standard error.
  onLine: (line: LogLine) => void = () => {};
  onError: (line: string) => void = () => {};
  #closed = false; // The program has ended, and all that it wrote is read.
  #watchers = new Set<() => void>();

  constructor(name: string) {
    this.name = name;
  }

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

  readError(line: string) {
    this.errors += `${line}\n`;
    this.onError(line);
  }

  /** Nothing more comes, so nobody needs to wait. */
  close() {
    this.#closed = true;
    this.#wake();
  }

  /** The program was started again, and says more. */
  reopen() {
    this.#closed = false;
  }

  /** All lines of this event. */
  all(event: string): LogLine[] {
    return this.log.filter((line) => line.event === event);
  }

  /** Resolves to the first line of this event that also matches, `from` that many lines on. */
  async logged(
    event: string,
    matches: (line: LogLine) => boolean = () => true,
    { withinMs = 20_000, from = 0 } = {},
  ): Promise<LogLine> {
    let found: LogLine | undefined;
    const isThere = () => {
      found ??= this.log.slice(from).find((line) => line.event === event && matches(line));
      return found !== undefined;
    };
    await this.#until(isThere, `${this.name} to log ${event}`, withinMs);
    return found as LogLine;
  }

  #wake() {
    for (const watcher of this.#watchers) watcher();
  }

  async #until(condition: () => boolean, what: string, withinMs: number) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => reject(new Error(`waited ${withinMs} ms for ${what}\n${this.#transcript()}`)),
      withinMs,
    );
    const watcher = () => {
      if (condition()) resolve();
      else if (this.#closed) reject(new Error(`${what}: it ended\n${this.#transcript()}`));
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

/** A log line is a JSON object on a line of its own. */
function parse(line: string): LogLine | null {
  if (!line.startsWith('{"')) return null;
  return JSON.parse(line);
}
