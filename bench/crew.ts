// The programs of one run: started, listened to, and ended whatever happens.

import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import type { Program } from "./contender.ts";
import { familyOf, sum, type Usage, usageOf } from "./usage.ts";

const START_MS = 30_000;
const LINES_KEPT = 10;

type Member = {
  program: Program;
  pid: number;
  lines: string[]; // The last that it printed.
  listeners: Set<(line: string) => void>;
};

const alive = new Map<number, ChildProcess>();

/** However this process ends, none of what it started is left. */
process.on("exit", () => {
  for (const pid of alive.keys()) end(pid);
});

export class Crew {
  #members: Member[] = [];
  #died = Promise.withResolvers<never>();
  #over = false;

  constructor() {
    this.#died.promise.catch(() => {}); // It may die when nobody waits for anything.
  }

  /** Starts a program, and resolves once it is ready. Rejects if any of the crew has died. */
  async start(program: Program): Promise<Member> {
    const child = spawn(program.command, program.args, {
      env: { ...process.env, ...program.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // A group of its own, which can be ended as one.
    });
    const { pid } = child;
    if (pid === undefined) throw await new Promise<Error>((known) => child.on("error", known));
    alive.set(pid, child);
    const member: Member = { program, pid, lines: [], listeners: new Set() };
    this.#members.push(member);
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => heard(member, line));
    // Not "exit": its last lines are still to come then.
    child.on("close", (code, signal) => {
      alive.delete(pid);
      if (!this.#over) this.#died.reject(obituary(member, signal ?? `exit code ${code}`));
    });
    await this.until(`${nameOf(program)} to be ready`, START_MS, ready(member));
    return member;
  }

  /** The first line of a member that has this in it, from now on. */
  line(member: Member, text: string, withinMs: number): Promise<string> {
    return this.until(`${nameOf(member.program)} to say ${text}`, withinMs, lineOf(member, text));
  }

  /** What is promised, unless one of the crew dies or it takes too long. */
  async until<Value>(what: string, withinMs: number, promise: Promise<Value>): Promise<Value> {
    const stop = new AbortController();
    const late = wait(withinMs, null, { signal: stop.signal }).then(() => {
      throw new Error(`waited ${withinMs} ms for ${what}${this.#lastWords()}`);
    });
    late.catch(() => {});
    try {
      return await Promise.race([promise, this.#died.promise, late]);
    } finally {
      stop.abort();
    }
  }

  /** What all members of a role have taken together. */
  usage(role: Program["role"]): Usage {
    const usages = this.#members.filter(({ program }) => program.role === role);
    const nothing = { cpuSeconds: 0, rssBytes: 0 };
    return usages.map(({ pid }) => usageOf(pid)).reduce(sum, nothing);
  }

  async [Symbol.asyncDispose]() {
    this.#over = true;
    const ended = this.#members.flatMap(({ pid }) => {
      const child = alive.get(pid);
      return child ? [new Promise((resolve) => child.on("close", resolve))] : [];
    });
    for (const { pid } of this.#members) if (alive.has(pid)) end(pid);
    await Promise.all(ended);
  }

  #lastWords() {
    const said = this.#members.filter(({ lines }) => lines.length > 0);
    return said.map(({ program, lines }) => `\n${nameOf(program)}: ${lines.at(-1)}`).join("");
  }
}

/** They have nothing to finish: what a server wrote goes with its folder. */
function end(pid: number) {
  for (const member of [-pid, ...familyOf(pid)]) {
    try {
      process.kill(member, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function heard(member: Member, line: string) {
  member.lines.push(line);
  if (member.lines.length > LINES_KEPT) member.lines.shift();
  for (const listener of member.listeners) listener(line);
}

function lineOf(member: Member, text: string): Promise<string> {
  return new Promise((resolve) => {
    const listener = (line: string) => {
      if (!line.includes(text)) return;
      member.listeners.delete(listener);
      resolve(line);
    };
    member.listeners.add(listener);
  });
}

async function ready(member: Member): Promise<void> {
  const { ready } = member.program;
  if (ready === null) return;
  if ("line" in ready) await lineOf(member, ready.line);
  else while (!(await accepts(ready.port))) await wait(20);
}

const accepts = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

const nameOf = ({ role, command, args }: Program) =>
  `the ${role} (${[command, ...args].join(" ").slice(0, 200)})`;

const obituary = ({ program, lines }: Member, end: string) =>
  new Error(`${nameOf(program)} died: ${end}\n${lines.join("\n")}`);
