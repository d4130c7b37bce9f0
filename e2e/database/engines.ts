// The engines that the db worker keeps its documents in, and what their tests are run with.

import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { delimiter, join } from "node:path";

export const HOW_TO_GET_THEM = "apt-get install postgresql";

export type Engine = "SQLite" | "PostgreSQL";

const ALL: Engine[] = ["SQLite", "PostgreSQL"];
const chosen = (process.env.ENGINES ?? ALL.join()).split(",");

/** Those that are tested: all, or what ENGINES names of them. */
export const engines = ALL.filter((engine) => chosen.includes(engine));

/** Debian has a folder of programs for each version of the server, and none of them is in the path. */
const versions = globSync("/usr/lib/postgresql/*/bin").sort((one, other) =>
  other.localeCompare(one, "en", { numeric: true }),
);
const programs = [...versions, ...(process.env.PATH ?? "").split(delimiter)].find((folder) =>
  ["initdb", "postgres"].every((name) => existsSync(join(folder, name))),
);

/** PostgreSQL refuses to run as root, and needs a user of its own there. */
const root = process.getuid?.() === 0;
const user = root ? { uid: idOf("-u"), gid: idOf("-g") } : {};

/** What the tests on PostgreSQL need and this machine does not have. */
export function missing(): string[] {
  return [
    ...(process.platform === "linux" ? [] : ["Linux"]),
    ...(programs === undefined ? ["a PostgreSQL server"] : []),
    ...(root && !user.uid ? ["a user postgres"] : []),
  ];
}

export function programOf(name: "initdb" | "postgres"): string {
  if (programs === undefined) throw new Error(`no PostgreSQL server here: ${HOW_TO_GET_THEM}`);
  return join(programs, name);
}

/** As whom the server's programs run: as whoever runs this, unless that is root. */
export function userOfServer(): { uid?: number; gid?: number } {
  if (root && !user.uid) throw new Error(`no user postgres here: ${HOW_TO_GET_THEM}`);
  return user;
}

function idOf(which: "-u" | "-g"): number {
  return Number(spawnSync("id", [which, "postgres"], { encoding: "utf8" }).stdout);
}
