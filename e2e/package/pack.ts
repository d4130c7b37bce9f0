// `npm run -s pack`: makes the package for other projects, and prints the path of its tarball. The
// package has compiled sources and declarations. Programs of this repository run from source.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manifestOf } from "./manifest.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const TARBALLS = join(ROOT, "reports", "package");

const root = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "majordomo-package-"));
try {
  run(join(ROOT, "node_modules/.bin/tsc"), "--project", "e2e/package", "--outDir", folder);
  const manifest = manifestOf(root);
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const { types } of Object.values(manifest.exports)) referToNode(join(folder, types));
  cpSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  cpSync(join(ROOT, "docs/API.md"), join(folder, "README.md"));
  mkdirSync(TARBALLS, { recursive: true });
  const name = run("npm", "pack", folder, "--silent", "--pack-destination", TARBALLS);
  process.stdout.write(`${join(TARBALLS, name.trim())}\n`);
} finally {
  rmSync(folder, { recursive: true });
}

/** Declarations use Buffer and node:events, and a project may list no types of its own. */
function referToNode(declarations: string) {
  const text = readFileSync(declarations, "utf8");
  writeFileSync(declarations, `/// <reference types="node" />\n${text}`);
}

function run(program: string, ...parameters: string[]): string {
  return execFileSync(program, parameters, {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", 2],
  });
}
