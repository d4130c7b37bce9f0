// A PostgreSQL server for one test: local processes and a temporary folder. Disposal removes both.

import { type ChildProcess, execFile, type SpawnOptions, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chownSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { freeEndpoint } from "../endpoint.ts";
import { programOf, userOfServer } from "./engines.ts";

const NAME = "majordomo"; // Of the role and of the first database.
const GUARD = readFileSync(new URL("guard.sh", import.meta.url), "utf8");
const READY = /database system is ready to accept connections$/;
const WAIT_MAX_MS = 60_000;
const POLL_MS = 5;

export class Postgres implements AsyncDisposable {
  readonly folder: string;
  #options: SpawnOptions;
  #password = randomUUID();
  #port = "";
  #databases = 0;
  #postmaster: ChildProcess | undefined;
  #log: string[] = []; // The log of the present postmaster, or of the last one.
  #guard: ChildProcess;
  #guardEnded: Promise<unknown>;

  /** Resolves when the server accepts connections. It ends with this process, however that ends. */
  static async start(): Promise<Postgres> {
    const server = new Postgres();
    try {
      await server.#make();
      await server.startAgain();
      await server.#execute(`create database ${NAME}`);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor() {
    const user = userOfServer();
    this.folder = mkdtempSync(join(tmpdir(), "majordomo-postgres-"));
    const env = { PATH: process.env.PATH };
    // Detached, so that Ctrl-C at the terminal stops only this process.
    this.#options = { cwd: this.folder, env, detached: true, ...user };
    if (user.uid && user.gid) chownSync(this.folder, user.uid, user.gid);
    this.#guard = spawn("sh", ["-c", GUARD, "guard", this.folder], {
      ...this.#options,
      stdio: ["pipe", "ignore", "inherit"],
    });
    this.#guardEnded = once(this.#guard, "exit");
  }

  /** The DATABASE_URL of the server. */
  get url(): string {
    return this.#urlOf(NAME);
  }

  /** Creates an empty database with these options of CREATE DATABASE, and resolves to its URL. */
  async database(options = ""): Promise<string> {
    this.#databases += 1;
    const name = `${NAME}_${this.#databases}`;
    await this.#execute(`create database ${name} ${options}`);
    return this.#urlOf(name);
  }

  /** The postmaster and its children. Each connection has a child. */
  get pids(): number[] {
    const pid = this.#postmaster?.pid;
    if (pid === undefined || !this.#running) return [];
    return [pid, ...wordsOf(`/proc/${pid}/task/${pid}/children`).map(Number)];
  }

  /** Disconnects all clients and shuts down in order. */
  async stop() {
    this.thaw();
    this.#signal("SIGINT", this.pids.slice(0, 1));
    await this.#until(() => !this.#running, "stop");
  }

  /** Ends all processes at once, as a failure of the machine does. */
  async kill() {
    const pids = await this.#frozen();
    this.#signal("SIGKILL", pids);
    await this.#until(() => !this.#running && pids.every(isGone), "die");
  }

  /** Stops all processes until `thaw`. Connections stay open. */
  async freeze() {
    const pids = await this.#frozen();
    this.#signal("SIGSTOP", pids);
    await this.#until(() => pids.every(isStill), "freeze");
  }

  thaw() {
    this.#signal("SIGCONT", this.pids);
  }

  /** Starts the server after a stop or a kill, with the same data on the same port. */
  async startAgain() {
    const settings = {
      listen_addresses: "127.0.0.1",
      port: this.#port,
      unix_socket_directories: this.folder,
      dynamic_shared_memory_type: "mmap", // In the folder, so that a killed server leaves nothing.
    };
    const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    const postmaster = spawn(programOf("postgres"), ["-D", this.#data, ...flags], {
      ...this.#options,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const closed = once(postmaster, "close");
    this.#postmaster = postmaster;
    const log: string[] = [];
    this.#log = log;
    createInterface({ input: postmaster.stderr }).on("line", (line) => log.push(line));
    const isReady = () => log.some((line) => READY.test(line));
    await this.#until(() => isReady() || !this.#running, "start");
    if (this.#running) return;
    await closed;
    throw new Error(`PostgreSQL ended\n${this.#logTail}`);
  }

  async [Symbol.asyncDispose]() {
    await this.kill().finally(() => this.#guard.stdin?.end());
    await this.#guardEnded;
  }

  get #data(): string {
    return join(this.folder, "data");
  }

  get #running(): boolean {
    return this.#postmaster?.exitCode === null && this.#postmaster.signalCode === null;
  }

  get #logTail(): string {
    return this.#log.slice(-20).join("\n");
  }

  #urlOf(database: string): string {
    return `postgres://${NAME}:${this.#password}@127.0.0.1:${this.#port}/${database}`;
  }

  async #make() {
    const passwordFile = join(this.folder, "password");
    writeFileSync(passwordFile, this.#password);
    // Only initdb skips the flush to disk. The server itself flushes as usual.
    const args = ["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"];
    args.push(`--username=${NAME}`, `--pwfile=${passwordFile}`, "-D", this.#data);
    await promisify(execFile)(programOf("initdb"), args, this.#options);
    this.#port = new URL(await freeEndpoint()).port;
  }

  async #execute(sql: string) {
    const connectionString = this.#urlOf("postgres");
    const limits = { connectionTimeoutMillis: WAIT_MAX_MS, query_timeout: WAIT_MAX_MS };
    const client = new Client({ connectionString, ...limits });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }

  /** Freezes the postmaster, so that it forks no more, and resolves to all processes. */
  async #frozen(): Promise<number[]> {
    const [postmaster] = this.pids;
    if (postmaster === undefined) return [];
    this.#signal("SIGSTOP", [postmaster]);
    await this.#until(() => isStill(postmaster), "freeze");
    return this.pids;
  }

  #signal(signal: NodeJS.Signals, pids: number[]) {
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // The process has ended meanwhile.
      }
    }
  }

  async #until(holds: () => boolean, change: string) {
    for (const deadline = performance.now() + WAIT_MAX_MS; !holds(); await setTimeout(POLL_MS)) {
      if (performance.now() < deadline) continue;
      throw new Error(`PostgreSQL did not ${change} within ${WAIT_MAX_MS} ms\n${this.#logTail}`);
    }
  }
}

/** The state letter of proc(5); "" for a process that does not exist. */
const stateOf = (pid: number) => wordsOf(`/proc/${pid}/stat`, /.*\) /s)[0] ?? "";

/** Also true of a zombie: a dead process whose parent has not waited for it. */
export const isGone = (pid: number) => ["", "Z", "X"].includes(stateOf(pid));

const isStill = (pid: number) => stateOf(pid) === "T" || isGone(pid);

/** The words of a file, after the part that `skipped` matches. */
function wordsOf(file: string, skipped = /^/): string[] {
  try {
    return readFileSync(file, "utf8").replace(skipped, "").trim().split(" ").filter(Boolean);
  } catch {
    return []; // The process has ended, perhaps during the read.
  }
}
