// A PostgreSQL server of one's own: local processes, and a folder that goes with them.

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
const PATIENCE_MS = 30_000;
const LOOK_MS = 5;

export class Postgres implements AsyncDisposable {
  readonly folder: string;
  #options: SpawnOptions;
  #password = randomUUID();
  #port = "";
  #databases = 0;
  #postmaster: ChildProcess | undefined;
  #log: string[] = []; // Of the postmaster that runs, or of the last one.
  #guard: ChildProcess;
  #guardEnded: Promise<unknown>;

  /** A new server that accepts connections. It does not outlive this process, however that ends. */
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
    // Detached, as a Ctrl-C at the terminal is for this process alone.
    this.#options = { cwd: this.folder, env, detached: true, ...user };
    if (user.uid && user.gid) chownSync(this.folder, user.uid, user.gid);
    this.#guard = spawn("sh", ["-c", GUARD, "guard", this.folder], {
      ...this.#options,
      stdio: ["pipe", "ignore", "inherit"],
    });
    this.#guardEnded = once(this.#guard, "exit");
  }

  /** What DATABASE_URL is to be. */
  get url(): string {
    return this.#urlOf(NAME);
  }

  /** Another database of this server, which is empty, and its URL. */
  async database(): Promise<string> {
    this.#databases += 1;
    const name = `${NAME}_${this.#databases}`;
    await this.#execute(`create database ${name}`);
    return this.#urlOf(name);
  }

  /** The postmaster and its children, one of which serves each connection. */
  get pids(): number[] {
    const pid = this.#postmaster?.pid;
    if (pid === undefined || !this.#running) return [];
    return [pid, ...wordsOf(`/proc/${pid}/task/${pid}/children`).map(Number)];
  }

  /** Cuts off whoever is connected and ends in order. */
  async stop() {
    this.thaw();
    this.#signal("SIGINT", this.pids.slice(0, 1));
    await this.#until(() => !this.#running, "stop");
  }

  /** Ends all of it at once, as when its machine fails. */
  async kill() {
    const pids = await this.#held();
    this.#signal("SIGKILL", pids);
    await this.#until(() => !this.#running && pids.every(isGone), "die");
  }

  /** All of it stands still until it is thawed; connections stay. */
  async freeze() {
    const pids = await this.#held();
    this.#signal("SIGSTOP", pids);
    await this.#until(() => pids.every(isStill), "freeze");
  }

  thaw() {
    this.#signal("SIGCONT", this.pids);
  }

  /** After a stop or a kill: with the same data, on the same port. */
  async startAgain() {
    const settings = {
      listen_addresses: "127.0.0.1",
      port: this.#port,
      unix_socket_directories: this.folder,
      dynamic_shared_memory_type: "mmap", // In the folder, so that nothing is left of a killed one.
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
    throw new Error(`PostgreSQL ended\n${this.#lastWords}`);
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

  get #lastWords(): string {
    return this.#log.slice(-20).join("\n");
  }

  #urlOf(database: string): string {
    return `postgres://${NAME}:${this.#password}@127.0.0.1:${this.#port}/${database}`;
  }

  async #make() {
    const passwordFile = join(this.folder, "password");
    writeFileSync(passwordFile, this.#password);
    // Only what is made here need not be on the disk yet; later on the server flushes as usual.
    const args = ["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"];
    args.push(`--username=${NAME}`, `--pwfile=${passwordFile}`, "-D", this.#data);
    await promisify(execFile)(programOf("initdb"), args, this.#options);
    this.#port = new URL(await freeEndpoint()).port;
  }

  async #execute(sql: string) {
    const connectionString = this.#urlOf("postgres");
    const patience = { connectionTimeoutMillis: PATIENCE_MS, query_timeout: PATIENCE_MS };
    const client = new Client({ connectionString, ...patience });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }

  /** All of its processes, of which the postmaster is stopped, so that it forks no more. */
  async #held(): Promise<number[]> {
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
        // It has ended meanwhile.
      }
    }
  }

  async #until(isSo: () => boolean, what: string) {
    for (const deadline = performance.now() + PATIENCE_MS; !isSo(); await setTimeout(LOOK_MS)) {
      if (performance.now() < deadline) continue;
      throw new Error(`PostgreSQL did not ${what} within ${PATIENCE_MS} ms\n${this.#lastWords}`);
    }
  }
}

/** A letter, of which proc(5) says what it means. There is none for a process that is not there. */
const stateOf = (pid: number) => wordsOf(`/proc/${pid}/stat`, /.*\) /s)[0] ?? "";

/** A process that nobody has waited for yet is none any more. */
export const isGone = (pid: number) => ["", "Z", "X"].includes(stateOf(pid));

const isStill = (pid: number) => stateOf(pid) === "T" || isGone(pid);

/** The words of a file, after what is skipped of it. */
function wordsOf(file: string, skipped = /^/): string[] {
  try {
    return readFileSync(file, "utf8").replace(skipped, "").trim().split(" ").filter(Boolean);
  } catch {
    return []; // The process has ended, perhaps while it was read.
  }
}
