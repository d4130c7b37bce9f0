// The limit of open files (ulimit -n), and the connections that it allows. Each connection is a file.

import { readFileSync } from "node:fs";

/** The most files that this process may have open. Where the system has no /proc: 1,024. */
export function openFilesMax(limitsFile = "/proc/self/limits"): number {
  try {
    // Node has raised the soft limit to the hard one.
    const [, soft] = /^Max open files +([0-9]+) /m.exec(readFileSync(limitsFile, "utf8")) ?? [];
    return Number(soft ?? OPEN_FILES_MAX);
  } catch {
    return OPEN_FILES_MAX;
  }
}

/** The connections for a process with this limit: 100 files are for other uses, at most half of all. */
export const connectionsFor = (openFiles: number): number =>
  Math.max(openFiles - RESERVED_FILES, Math.floor(openFiles / 2), 1);

/** The usual soft limit. */
const OPEN_FILES_MAX = 1024;

/** About 30 files of Node and the program, 32 connections of health.ts, and as many to spare. */
const RESERVED_FILES = 100;
