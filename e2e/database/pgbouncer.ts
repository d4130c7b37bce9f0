// PgBouncer in front of a PostgreSQL server, as a local process. Disposal ends it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Client } from "pg";
import { freeEndpoint } from "../endpoint.ts";
import { pgBouncer, userOfServer } from "./engines.ts";
import type { Postgres } from "./postgres.ts";

const WAIT_MAX_MS = 60_000;

export class PgBouncer implements AsyncDisposable {
  /** The DATABASE_URL through PgBouncer. */
  readonly url: string;
  #process: ChildProcess;
  #log = "";

  /** Resolves when it accepts connections. */
  static async to(server: Postgres, settings: Record<string, string>): Promise<PgBouncer> {
    const bouncer = new PgBouncer(server, settings, new URL(await freeEndpoint()).port);
    for (const end = performance.now() + WAIT_MAX_MS; !(await bouncer.#accepts()); ) {
      if (performance.now() > end) throw new Error(`PgBouncer did not start\n${bouncer.#log}`);
      await setTimeout(50);
    }
    return bouncer;
  }

  private constructor(server: Postgres, settings: Record<string, string>, port: string) {
    const url = new URL(server.url);
    const folder = join(server.folder, `pgbouncer-${port}`);
    const users = join(folder, "users.txt");
    const all = {
      listen_addr: "127.0.0.1",
      listen_port: port,
      unix_socket_dir: "",
      auth_type: "scram-sha-256",
      auth_file: users,
      ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
    const databases = `[databases]\n* = host=127.0.0.1 port=${url.port}\n`;
    mkdirSync(folder);
    writeFileSync(users, `"${url.username}" "${url.password}"\n`);
    writeFileSync(join(folder, "settings.ini"), `${databases}[pgbouncer]\n${lines.join("\n")}\n`);
    const user = userOfServer();
    const { uid, gid } = user;
    if (uid && gid) for (const file of [folder, users]) chownSync(file, uid, gid);
    this.#process = spawn(pgBouncer ?? "pgbouncer", [join(folder, "settings.ini")], {
      ...user,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process.stderr?.on("data", (text) => {
      this.#log += String(text);
    });
    url.port = port;
    this.url = url.href;
  }

  async #accepts(): Promise<boolean> {
    const client = new Client({ connectionString: this.url, connectionTimeoutMillis: 5000 });
    client.on("error", () => {});
    try {
      await client.connect();
      return true;
    } catch (error) {
      if ((error as { code?: string }).code === "ECONNREFUSED") return false;
      return true; // It answers; a test may want this refusal.
    } finally {
      await client.end().catch(() => {});
    }
  }

  async [Symbol.asyncDispose]() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }
}
