// The programs of 0.1.0: extracts them from git by the hash of their last commit, and installs the
// packages of their own lockfile. The result stays in the user's cache folder for later runs.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The last commit of 0.1.0. */
const COMMIT = "9b07da84b416147ed304d12cedb8ccbce69e6ac4";

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "majordomo");
const FOLDER = join(CACHE, COMMIT.slice(0, 7));

/** The paths that the programs of 0.1.0 need: no test and no document is among them. */
const PATHS = [
  ...["package.json", "package-lock.json", ".npmrc"],
  ...["broker", "clients", "program", "protocol", "transport", "workers"],
  ...["e2e/processes/count.ts", "e2e/processes/slow.ts"],
];

const NPM_CI = ["ci", "--omit=dev", "--ignore-scripts", "--loglevel=error", "--fetch-retries=1"];
const NPM_MAX_MS = 300_000;

/** One version of all programs. */
export type Version = {
  name: string;
  /** The root of its source. */
  folder: string;
  /** The command that runs one of its programs: 0.1.0 has a loader of its own. */
  runner?: string[];
};

const LOADER = pathToFileURL(join(FOLDER, "node_modules/tsx/dist/loader.mjs")).href;

export const OLD: Version = {
  name: "0.1.0",
  folder: FOLDER,
  runner: [process.execPath, "--import", LOADER],
};
export const NEW: Version = { name: "0.2.0", folder: join(import.meta.dirname, "../..") };
export const VERSIONS = [OLD, NEW];

/** The version that is not this one. */
export const otherThan = (version: Version) => (version === OLD ? NEW : OLD);

/**
 * Installs the programs of 0.1.0 if they are missing. Throws an error with one line if this machine
 * cannot have them.
 */
export function install() {
  if (existsSync(FOLDER)) return;
  if (isShallow()) run("git", ["fetch", "--quiet", "--unshallow"]);
  const archive = run("git", ["archive", COMMIT, ...PATHS]);
  mkdirSync(CACHE, { recursive: true });
  const unfinished = mkdtempSync(join(CACHE, "unfinished-")); // Two processes may install at once.
  try {
    run("tar", ["--extract", "--directory", unfinished], { input: archive });
    run("npm", NPM_CI, { cwd: unfinished, timeout: NPM_MAX_MS });
    if (!existsSync(FOLDER)) renameSync(unfinished, FOLDER);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** A shallow clone lacks the commits of 0.1.0. */
const isShallow = () =>
  String(run("git", ["rev-parse", "--is-shallow-repository"])).trim() === "true";

/** Returns the output of a command. Throws if it fails. */
function run(
  command: string,
  args: string[],
  options: { input?: Buffer; cwd?: string; timeout?: number } = {},
): Buffer {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    maxBuffer: 1 << 28,
    ...options,
  });
  if (status === 0) return stdout;
  const [line = `exit status ${status}`] = String(stderr ?? "").match(/\S.*/) ?? [];
  throw new Error(`${command} ${args[0]} failed (${error?.message ?? line})`);
}
