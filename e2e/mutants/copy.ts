// A copy of the source in a temporary folder, for mutants. The source itself is never changed.

import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Mutant, mutated } from "./mutant.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

export class Copy {
  readonly folder: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "majordomo-mutants-"));
    process.on("exit", () => rmSync(this.folder, { recursive: true, force: true }));
    for (const file of sources()) cpSync(join(ROOT, file), join(this.folder, file));
    symlinkSync(join(ROOT, "node_modules"), join(this.folder, "node_modules"));
  }

  /** Applies the mutant. Returns a function that undoes it, or the reason why it does not apply. */
  break(mutant: Mutant): (() => void) | { reason: string } {
    const path = join(this.folder, mutant.file);
    if (!existsSync(path)) return { reason: `there is no ${mutant.file}` };
    const source = readFileSync(path, "utf8");
    const broken = mutated(source, mutant);
    if (typeof broken !== "string") return broken;
    writeFileSync(path, broken);
    return () => writeFileSync(path, source);
  }
}

/** The files that git tracks or would track, as they are now. */
function sources(): string[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const files = execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).split("\0");
  return files.filter((file) => statSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile());
}
