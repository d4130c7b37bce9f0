// What the native programs are built and run with: gcc, the headers of libzmq and czmq, and a Python
// that has pyzmq.

import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";

const FOLDER = import.meta.dirname;
const FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];

const works = (command: string, args: string[]) => spawnSync(command, args).status === 0;
const compiles = (header: string) =>
  works("gcc", ["-fsyntax-only", "-include", header, "-x", "c", "/dev/null"]);
const importsZmq = (python: string) => works(python, ["-c", "import zmq"]);

type Tool = "gcc" | "libzmq" | "czmq" | "pyzmq";

const TOOLS: Record<Tool, { package: string; isThere: () => boolean }> = {
  gcc: { package: "gcc libc6-dev", isThere: () => compiles("stdio.h") },
  libzmq: { package: "libzmq3-dev", isThere: () => compiles("zmq.h") },
  czmq: { package: "libczmq-dev", isThere: () => compiles("czmq.h") },
  pyzmq: { package: "python3-zmq", isThere: () => python() !== undefined },
};

/** A sentence that says what has to be installed for these; null: nothing. */
export function missingOf(...tools: Tool[]): string | null {
  const missing = tools.map((tool) => TOOLS[tool]).filter(({ isThere }) => !isThere());
  if (missing.length === 0) return null;
  return `It needs: apt-get install ${missing.map((tool) => tool.package).join(" ")}.`;
}

/** The first in the path is often not Debian's, which has Debian's packages. */
export function python(): string | undefined {
  return ["python3", "/usr/bin/python3"].find(importsZmq);
}

/** The built program, which is made anew when its source or a header is newer. */
export function binaryOf(name: string, libraries: string[] = []): string {
  const [source, binary] = [join(FOLDER, `${name}.c`), join(FOLDER, "built", name)];
  const headers = globSync(join(FOLDER, "*.h"));
  if (changedAt(binary) >= Math.max(...[source, ...headers].map(changedAt))) return binary;
  mkdirSync(join(FOLDER, "built"), { recursive: true });
  console.error(`gcc ${source}`);
  const made = `${binary}.${process.pid}`;
  const args = [...FLAGS, "-o", made, source, ...libraries.map((library) => `-l${library}`)];
  const { status, stderr } = spawnSync("gcc", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`gcc: ${stderr ?? missingOf("gcc")}`);
  renameSync(made, binary);
  return binary;
}

const changedAt = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
