// A copy of the tree in a temporary folder, where rules may be broken. The tree itself stays whole.

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

  /** Breaks the rule, and returns how to mend it; or says why the mutant no longer applies. */
  break(mutant: Mutant): (() => void) | { wrong: string } {
    const path = join(this.folder, mutant.file);
    if (!existsSync(path)) return { wrong: `there is no ${mutant.file}` };
    const source = readFileSync(path, "utf8");
    const broken = mutated(source, mutant);
    if (typeof broken !== "string") return broken;
    writeFileSync(path, broken);
    return () => writeFileSync(path, source);
  }
}

/** All files that are tracked or would be, as they are now. */
function sources(): string[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const files = execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).split("\0");
  return files.filter((file) => statSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile());
}
