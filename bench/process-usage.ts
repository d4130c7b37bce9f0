// CPU time and memory of a process tree, as Linux counts them.

import { readdirSync, readFileSync } from "node:fs";

export type Usage = {
  /** Of all threads, and of children that have ended. */
  cpuSeconds: number;
  rssBytes: number;
};

/** The usage of a process and its descendants. A process that has ended counts as 0. */
export const usageOf = (pid: number): Usage =>
  processTree(pid).map(usageOfOne).reduce(sum, { cpuSeconds: 0, rssBytes: 0 });

/** The ids of a process and its descendants. */
export function processTree(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(processTree)];
}

export const sum = (one: Usage, other: Usage): Usage => ({
  cpuSeconds: one.cpuSeconds + other.cpuSeconds,
  rssBytes: one.rssBytes + other.rssBytes,
});

/** The larger CPU time and the last memory. Linux drops the memory of an ending process first. */
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

/** Parses a line of /proc/<pid>/stat. The program name in it may have spaces and parentheses. */
export function cpuSecondsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(UTIME, UTIME + 4).reduce((total, field) => total + Number(field), 0);
  return ticks / TICKS_PER_SECOND;
}

/** The index of utime after the name. Then stime, cutime and cstime follow. */
const UTIME = 11;

/** USER_HZ: 100 on every Linux that Node supports. */
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
