// A program as a local process.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { onStopSignal } from "../../runtime/signals.ts";
import { ProcessLog } from "../process-log.ts";

export { freeEndpoint } from "../endpoint.ts";

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

export class Program extends ProcessLog {
  readonly ended: Promise<Ended>;
  #child: ChildProcess;

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
    super(file);
    const { PATH, HOME, MDP_TRANSPORT } = process.env;
    const [command = file, ...rest] = [...runner, file, ...args];
    this.#child = spawn(command, rest, {
      cwd: ROOT,
      env: { PATH, HOME, ...(MDP_TRANSPORT && { MDP_TRANSPORT }), ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(this.#child);
    this.#child.on("exit", () => running.delete(this.#child));
    const { stdout, stderr } = this.#child;
    if (!stdout || !stderr) throw new Error("a child process without pipes");
    createInterface({ input: stdout }).on("line", (line) => this.read(line));
    createInterface({ input: stderr }).on("line", (line) => this.readError(line));
    this.ended = new Promise((resolve) => {
      this.#child.on("close", (code, signal) => resolve({ code, signal }));
    });
    void this.ended.then(() => this.close());
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
}
