// A program as a local process, with its log lines as they come.

import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { onStopSignal } from "../../program/signals.ts";

export type LogLine = { event?: string; msg?: string; [field: string]: unknown };

export type Ended = { code: number | null; signal: NodeJS.Signals | null };

const ROOT = new URL("../..", import.meta.url).pathname;

/** What runs a program of ours. */
const NODE = [process.execPath, "--import", "tsx"];

/** No program outlives whoever started it: not when that one is interrupted, not even frozen. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
onStopSignal(() => process.exit(130));

export class Program {
  readonly name: string;
  readonly log: LogLine[] = [];
  readonly ended: Promise<Ended>;
  errors = ""; // What it wrote to standard error.
  output = ""; // What it wrote to standard output and is no log line.
  onLine: (line: LogLine) => void = () => {};
  onError: (line: string) => void = () => {};
  #child: ChildProcess;
  #closed = false; // It has ended and all it wrote is read.
  #watchers = new Set<() => void>();

  /**
   * Runs `file` (from the root of the project) with these arguments and settings. What `runner` has
   * goes before it on the command line; without any, the file is run by itself.
   */
  constructor(
    file: string,
    args: string[] = [],
    settings: Record<string, string> = {},
    runner: string[] = NODE,
  ) {
    this.name = file;
    const [command = file, ...rest] = [...runner, file, ...args];
    this.#child = spawn(command, rest, {
      cwd: ROOT,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(this.#child);
    this.#child.on("exit", () => running.delete(this.#child));
    const { stdout, stderr } = this.#child;
    if (!stdout || !stderr) throw new Error("a child process without pipes");
    createInterface({ input: stdout }).on("line", (line) => this.#read(line));
    createInterface({ input: stderr }).on("line", (line) => {
      this.errors += `${line}\n`;
      this.onError(line);
    });
    this.ended = new Promise((resolve) => {
      this.#child.on("close", (code, signal) => resolve({ code, signal }));
    });
    void this.ended.then(() => {
      this.#closed = true;
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: NodeJS.Signals) {
    this.#child.kill(signal);
  }

  /** Resolves to the first log line of this event that also matches, old or new. */
  async logged(
    event: string,
    matches: (line: LogLine) => boolean = () => true,
    withinMs = 20_000,
  ): Promise<LogLine> {
    const found = () => this.log.find((line) => line.event === event && matches(line));
    await this.#until(() => found() !== undefined, `${this.name} to log ${event}`, withinMs);
    return found() as LogLine;
  }

  /** Asks it to stop, and resolves to how it ended. */
  async stop(): Promise<Ended> {
    this.signal("SIGCONT");
    this.signal("SIGTERM");
    return this.ended;
  }

  /** Ends it without asking. */
  async destroy() {
    this.signal("SIGKILL");
    await this.ended;
  }

  #read(line: string) {
    const entry = parse(line);
    if (entry) {
      this.log.push(entry);
      this.onLine(entry);
    } else {
      this.output += `${line}\n`;
    }
    this.#wake();
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

/** An endpoint on loopback that nobody listens on now. */
export async function freeEndpoint(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return `tcp://127.0.0.1:${address.port}`;
}
