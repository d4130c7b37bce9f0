// The database engines of the db worker, and the programs that their tests need.

import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { delimiter, join } from "node:path";

export const HOW_TO_GET_THEM = "apt-get install postgresql pgbouncer";

export type Engine = "SQLite" | "PostgreSQL";

const ALL: Engine[] = ["SQLite", "PostgreSQL"];
const chosen = (process.env.ENGINES ?? ALL.join()).split(",");

/** The engines under test: those that ENGINES names, or all. */
export const engines = ALL.filter((engine) => chosen.includes(engine));

/** Debian has one folder of programs per version of the server, outside PATH. */
const versions = globSync("/usr/lib/postgresql/*/bin").sort((one, other) =>
  other.localeCompare(one, "en", { numeric: true }),
);
const programs = [...versions, ...(process.env.PATH ?? "").split(delimiter)].find((folder) =>
  ["initdb", "postgres"].every((name) => existsSync(join(folder, name))),
);

/** PostgreSQL refuses to run as root: then its programs run as the user postgres. */
const root = process.getuid?.() === 0;
const user = root ? { uid: idOf("-u"), gid: idOf("-g") } : {};

/** The requirements of the tests on PostgreSQL that this machine does not meet. */
export function missing(): string[] {
  return [
    ...(process.platform === "linux" ? [] : ["Linux"]),
    ...(programs === undefined ? ["a PostgreSQL server"] : []),
    ...(root && !user.uid ? ["a user postgres"] : []),
  ];
}

/** PgBouncer, in a folder that PATH of a user may not have; undefined if this machine has none. */
export const pgBouncer = ["/usr/sbin", ...(process.env.PATH ?? "").split(delimiter)]
  .map((folder) => join(folder, "pgbouncer"))
  .find((file) => existsSync(file));

export function programOf(name: "initdb" | "postgres"): string {
  if (programs === undefined) throw new Error(`no PostgreSQL server here: ${HOW_TO_GET_THEM}`);
  return join(programs, name);
}

/** The user of the server's programs: postgres for root, otherwise the user of this process. */
export function userOfServer(): { uid?: number; gid?: number } {
  if (root && !user.uid) throw new Error(`no user postgres here: ${HOW_TO_GET_THEM}`);
  return user;
}

function idOf(which: "-u" | "-g"): number {
  return Number(spawnSync("id", [which, "postgres"], { encoding: "utf8" }).stdout);
}
