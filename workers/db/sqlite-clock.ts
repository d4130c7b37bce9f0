// The clock of a SQLite file, which has no server with a clock of its own.
//
// The file has the time at which its machine booted, as the first worker since then read it. The time
// since the boot comes from the kernel. So all workers count from one time, even if the clock of the
// machine is set or that of a process is wrong.

import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Tables } from "./engine.ts";

/** The machine of a database file. */
export type Machine = {
  /** The id of the present boot, or null if the system has none. Then its clock counts. */
  boot: string | null;
  /** The time since the boot, in ms. */
  uptimeMs(): number;
};

/** The machine of this process. */
export const machine: Machine = {
  boot: bootId(),
  uptimeMs: () => Math.round(uptime() * 1000),
};

/** The time of the file as SQL, in ms since 1970. */
export const timeOf = ({ uptimeMs }: Machine): RawBuilder<number> =>
  sql<number>`((select booted from clock) + ${uptimeMs()})`;

/**
 * Sets the clock of the file at the first start since the machine booted. Must be called in a
 * transaction. After a boot with a wrong clock, time goes on from the boot before.
 */
export async function setClock(
  database: Kysely<Tables>,
  { boot, uptimeMs }: Machine,
): Promise<void> {
  await sql`create table if not exists clock (
    id integer primary key check (id = 1), boot text, booted integer not null
  )`.execute(database);
  await sql`
    insert into clock values (1, ${boot}, round(unixepoch('subsec') * 1000) - ${uptimeMs()})
    on conflict (id) do update set boot = excluded.boot,
      booted = case when excluded.boot is null then excluded.booted
        else max(excluded.booted, clock.booted) end
    where excluded.boot is not clock.boot or excluded.boot is null`.execute(database);
}

function bootId(): string | null {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return null; // Only Linux has one.
  }
}
