// The tools of the foreign peers: a Python with pyzmq, and gcc with the headers of libzmq.

import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, statSync } from "node:fs";

export const HOW_TO_GET_THEM = "apt-get install python3-zmq libzmq3-dev gcc";

const FOLDER = "e2e/peers";
const WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

const works = (command: string, args: string[]) => spawnSync(command, args).status === 0;

/** The first python3 in PATH is often not Debian's, and only Debian's has its packages. */
const python = ["python3", "/usr/bin/python3"].find((file) => works(file, ["-c", "import zmq"]));

/** The requirements of the foreign peers that this machine does not meet. */
export function missing(): string[] {
  const headers = ["-fsyntax-only", "-include", "zmq.h", "-x", "c", "/dev/null"];
  return [
    ...(python === undefined ? ["a python3 that can import zmq"] : []),
    ...(works("gcc", headers) ? [] : ["gcc with the headers of libzmq"]),
  ];
}

export function interpreter(): string {
  if (python === undefined) throw new Error(`no python3 here has zmq: ${HOW_TO_GET_THEM}`);
  return python;
}

/** The path of a C program; compiles it if its source is newer. */
export function binaryOf(name: string): string {
  const [source, binary] = [`${FOLDER}/${name}.c`, `${FOLDER}/built/${name}`];
  if (changedAt(binary) >= changedAt(source)) return binary;
  mkdirSync(`${FOLDER}/built`, { recursive: true });
  const built = `${binary}.${process.pid}`; // Two processes may compile at once.
  const args = ["-std=gnu11", "-O2", ...WARNINGS, "-o", built, source, "-lzmq"];
  const { status, stderr } = spawnSync("gcc", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`gcc: ${stderr ?? HOW_TO_GET_THEM}`);
  renameSync(built, binary);
  return binary;
}

const changedAt = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
