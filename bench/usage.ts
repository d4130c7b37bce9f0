// What a process and its children have taken, as Linux counts it.

import { readdirSync, readFileSync } from "node:fs";

export type Usage = {
  cpuSeconds: number; // Of all threads, and of children that have ended.
  rssBytes: number;
};

/** The usage of a process and all processes that descend from it. Those that are gone count nothing. */
export const usageOf = (pid: number): Usage =>
  familyOf(pid).map(usageOfOne).reduce(sum, { cpuSeconds: 0, rssBytes: 0 });

/** A process and all that descend from it. */
export function familyOf(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(familyOf)];
}

export const sum = (one: Usage, other: Usage): Usage => ({
  cpuSeconds: one.cpuSeconds + other.cpuSeconds,
  rssBytes: one.rssBytes + other.rssBytes,
});

/** What a process had last: of one that is ending, its memory is gone before its time is. */
export const latest = (seen: Usage, now: Usage): Usage => ({
  cpuSeconds: Math.max(seen.cpuSeconds, now.cpuSeconds),
  rssBytes: now.rssBytes || seen.rssBytes,
});

function usageOfOne(pid: number): Usage {
  const [, kilobytes = 0] = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return {
    cpuSeconds: cpuSecondsIn(read(`/proc/${pid}/stat`)),
    rssBytes: Number(kilobytes) * 1024,
  };
}

/** From a line of /proc/<pid>/stat, where a program's name may have spaces and parentheses in it. */
export function cpuSecondsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(UTIME, UTIME + 4).reduce((total, field) => total + Number(field), 0);
  return ticks / TICKS_PER_SECOND;
}

/** After the name: utime, stime, cutime and cstime from there on. */
const UTIME = 11;

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
