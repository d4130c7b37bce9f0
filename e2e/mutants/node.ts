// Runs a TypeScript program with a time limit. Kills it, and all that it started, when this process ends.

import { type ChildProcess, spawn } from "node:child_process";

export type Ended = {
  ended: "well" | "badly" | "by time-out";
  /** Standard output and standard error. */
  output: string;
  errors: string;
  ms: number;
};

export type RunOptions = {
  folder: string;
  limitMs: number;
  settings?: Record<string, string>;
};

/** Bounds the memory of a mutant that never ends, in MB. */
const HEAP = "--max-old-space-size=1024";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) kill(child);
});

/** Runs Node with tsx and these arguments. */
export function runNode(args: string[], options: RunOptions): Promise<Ended> {
  const { folder, limitMs, settings = {} } = options;
  const started = performance.now();
  const result: Ended = { ended: "well", output: "", errors: "", ms: 0 };
  const child = spawn(process.execPath, [HEAP, "--import", "tsx", ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // A process group of its own, so that kill() ends its children too.
  });
  running.add(child);
  const timer = setTimeout(() => {
    result.ended = "by time-out";
    kill(child);
  }, limitMs);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    result.output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    result.errors += text;
  });
  return new Promise((resolve) => {
    child.on("close", (code) => {
      clearTimeout(timer);
      running.delete(child);
      if (code !== 0 && result.ended === "well") result.ended = "badly";
      resolve({ ...result, ms: performance.now() - started });
    });
  });
}

function kill({ pid }: ChildProcess) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // The process has ended meanwhile.
  }
}
