// A project in a temporary folder that has installed the package from its tarball.

import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const ROOT = new URL("../..", import.meta.url).pathname;
const MODULES = join(ROOT, "node_modules");
const run = promisify(execFile);

/** Makes the package and returns the path of its tarball. */
export const pack = (): string =>
  execFileSync("npm", ["run", "--silent", "pack"], { cwd: ROOT, encoding: "utf8" }).trim();

export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "majordomo-project-"));

  /** Installs the tarball as a user would, without a registry: the package has no dependencies. */
  constructor(tarball: string, manifest: object = { type: "module" }) {
    this.write("package.json", JSON.stringify(manifest));
    const options = ["--omit=peer", "--offline", "--no-audit", "--no-fund", "--silent"];
    execFileSync("npm", ["install", ...options, tarball], { cwd: this.folder });
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  write(name: string, text: string) {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  /** Makes packages of this repository available in the project, as if it had installed them. */
  add(...names: string[]) {
    for (const name of names) {
      mkdirSync(dirname(this.path("node_modules", name)), { recursive: true });
      symlinkSync(join(MODULES, name), this.path("node_modules", name));
    }
  }

  /** Copies a package of this repository, for tools that do not look behind links. */
  copy(name: string) {
    cpSync(join(MODULES, name), this.path("node_modules", name), {
      recursive: true,
      dereference: true,
    });
  }

  /** Runs a program in the project, and resolves to its output. Rejects with all of its output. */
  async run(program: string, ...parameters: string[]): Promise<string> {
    const { PATH, HOME } = process.env;
    try {
      const result = await run(program, parameters, {
        cwd: this.folder,
        env: { PATH, HOME },
        timeout: 60_000,
      });
      return result.stdout;
    } catch (error) {
      const { message, stdout, stderr } = error as Error & { stdout: string; stderr: string };
      throw new Error([message, stdout, stderr].join("\n"));
    }
  }

  /** Runs a tool of this repository in the project. */
  tool(name: string, ...parameters: string[]): Promise<string> {
    return this.run(join(MODULES, ".bin", name), ...parameters);
  }

  [Symbol.dispose]() {
    rmSync(this.folder, { recursive: true });
  }
}
