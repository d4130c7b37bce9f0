// The tools that build and run the native programs: gcc, the headers of libzmq and czmq, and a
// Python with pyzmq.

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

const TOOLS: Record<Tool, { package: string; isInstalled: () => boolean }> = {
  gcc: { package: "gcc libc6-dev", isInstalled: () => compiles("stdio.h") },
  libzmq: { package: "libzmq3-dev", isInstalled: () => compiles("zmq.h") },
  czmq: { package: "libczmq-dev", isInstalled: () => compiles("czmq.h") },
  pyzmq: { package: "python3-zmq", isInstalled: () => python() !== undefined },
};

/** A sentence that says which packages these tools need, or null if all are installed. */
export function missingOf(...tools: Tool[]): string | null {
  const missing = tools.map((tool) => TOOLS[tool]).filter(({ isInstalled }) => !isInstalled());
  if (missing.length === 0) return null;
  return `It needs: apt-get install ${missing.map((tool) => tool.package).join(" ")}.`;
}

/** A Python that has pyzmq. The first one in the path may lack Debian's packages. */
export function python(): string | undefined {
  return ["python3", "/usr/bin/python3"].find(importsZmq);
}

/** The path of a compiled program. Compiles it if its source or a header is newer. */
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
