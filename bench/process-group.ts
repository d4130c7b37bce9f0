// The processes of one run: starts them, reads their output, and kills them when the run ends.

import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { processTree, sum, type Usage, usageOf } from "./process-usage.ts";
import type { Program } from "./system.ts";

const START_MS = 30_000;
const LINES_KEPT = 10;

type RunningProgram = {
  program: Program;
  pid: number;
  lastLines: string[];
  listeners: Set<(line: string) => void>;
};

const children = new Map<number, ChildProcess>();

// No child outlives this process, also when a signal or an error ends it.
process.on("exit", () => {
  for (const pid of children.keys()) kill(pid);
});

export class ProcessGroup {
  #running: RunningProgram[] = [];
  #death = Promise.withResolvers<never>();
  #disposed = false;

  constructor() {
    this.#death.promise.catch(() => {}); // A program may die while no call waits for anything.
  }

  /** Starts a program and resolves when it is ready. Rejects if any program of the group dies. */
  async start(program: Program): Promise<RunningProgram> {
    const child = spawn(program.command, program.args, {
      env: { ...process.env, ...program.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // The child leads a process group, which one signal ends.
    });
    const { pid } = child;
    if (pid === undefined) throw await new Promise<Error>((known) => child.on("error", known));
    children.set(pid, child);
    const running: RunningProgram = { program, pid, lastLines: [], listeners: new Set() };
    this.#running.push(running);
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => received(running, line));
    // Not "exit": the last lines arrive after it.
    child.on("close", (code, signal) => {
      children.delete(pid);
      if (!this.#disposed) this.#death.reject(exitReport(running, signal ?? `exit code ${code}`));
    });
    await this.waitFor(`${nameOf(program)} to be ready`, START_MS, ready(running));
    return running;
  }

  /** Starts the brokers one after another, and then all workers at once. */
  async startServers(programs: Program[]) {
    for (const broker of programs.filter(({ role }) => role === "broker")) await this.start(broker);
    const workers = programs.filter(({ role }) => role === "worker");
    await Promise.all(workers.map((worker) => this.start(worker)));
  }

  /** Resolves with the next line of a program that contains `text`. Rejects as `waitFor` does. */
  waitForLine(running: RunningProgram, text: string, withinMs: number): Promise<string> {
    const event = `${nameOf(running.program)} to print ${text}`;
    return this.waitFor(event, withinMs, nextLine(running, text));
  }

  /** Settles as `promise` does. Rejects if a program of the group dies or the time is over. */
  async waitFor<Value>(event: string, withinMs: number, promise: Promise<Value>): Promise<Value> {
    const stop = new AbortController();
    const timeout = wait(withinMs, null, { signal: stop.signal }).then(() => {
      throw new Error(`waited ${withinMs} ms for ${event}${this.#lastLines()}`);
    });
    timeout.catch(() => {});
    try {
      return await Promise.race([promise, this.#death.promise, timeout]);
    } finally {
      stop.abort();
    }
  }

  /** The CPU time and memory of all programs of a role together. */
  usage(role: Program["role"]): Usage {
    const programs = this.#running.filter(({ program }) => program.role === role);
    const none = { cpuSeconds: 0, rssBytes: 0 };
    return programs.map(({ pid }) => usageOf(pid)).reduce(sum, none);
  }

  async [Symbol.asyncDispose]() {
    this.#disposed = true;
    const ended = this.#running.flatMap(({ pid }) => {
      const child = children.get(pid);
      return child ? [new Promise((resolve) => child.on("close", resolve))] : [];
    });
    for (const { pid } of this.#running) if (children.has(pid)) kill(pid);
    await Promise.all(ended);
  }

  #lastLines() {
    const printed = this.#running.filter(({ lastLines }) => lastLines.length > 0);
    return printed
      .map(({ program, lastLines }) => `\n${nameOf(program)}: ${lastLines.at(-1)}`)
      .join("");
  }
}

// SIGKILL is enough: a run deletes the folder that the servers write to.
function kill(leader: number) {
  for (const pid of [-leader, ...processTree(leader)]) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function received(running: RunningProgram, line: string) {
  running.lastLines.push(line);
  if (running.lastLines.length > LINES_KEPT) running.lastLines.shift();
  for (const listener of running.listeners) listener(line);
}

function nextLine(running: RunningProgram, text: string): Promise<string> {
  return new Promise((resolve) => {
    const listener = (line: string) => {
      if (!line.includes(text)) return;
      running.listeners.delete(listener);
      resolve(line);
    };
    running.listeners.add(listener);
  });
}

async function ready(running: RunningProgram): Promise<void> {
  const { ready } = running.program;
  if (ready === null) return;
  if ("line" in ready) await nextLine(running, ready.line);
  else while (!(await acceptsConnections(ready.port))) await wait(20);
}

/** Whether a server listens on this port of 127.0.0.1. */
export const acceptsConnections = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

const nameOf = ({ role, command, args }: Program) =>
  `the ${role} (${[command, ...args].join(" ").slice(0, 200)})`;

const exitReport = ({ program, lastLines }: RunningProgram, end: string) =>
  new Error(`${nameOf(program)} died: ${end}\n${lastLines.join("\n")}`);
