// A program of this project, or another one, as a local process.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { onStopSignal } from "../../runtime/signals.ts";
import { ProcessLog } from "../process-log.ts";

export { freeEndpoint } from "../endpoint.ts";

export type Ended = { code: number | null; signal: NodeJS.Signals | null };

const ROOT = new URL("../..", import.meta.url).pathname;

/** The command that runs a program of this project, as package.json and the image do. */
const NODE = [process.execPath, "--max-semi-space-size=16", "--import", "tsx"];

/** The programs that run. Each ends with this process, also when a signal ends it, and also when frozen. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
onStopSignal(() => process.exit(130));

export class Program extends ProcessLog {
  readonly ended: Promise<Ended>;
  #child: ChildProcess;

  /**
   * Runs `file` (a path from the root of the project) with these arguments. The settings are its
   * environment. `runner` precedes the file on the command line; [] runs the file itself.
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

  /** Sends SIGTERM, also to a frozen program, and resolves to its exit code or signal. */
  async stop(): Promise<Ended> {
    this.signal("SIGCONT");
    this.signal("SIGTERM");
    return this.ended;
  }

  /** Sends SIGKILL, and resolves when the program has ended. */
  async destroy() {
    this.signal("SIGKILL");
    await this.ended;
  }
}
