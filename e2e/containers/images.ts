// The images that tests run: the two that are shipped, and the one with a service for tests besides.
// Built from this folder, which takes no time if nothing has changed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseEnv } from "node:util";
import { IMAGE, POSTGRES_IMAGE } from "./engine.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const SHIPPED = "majordomo";
const LINES_SHOWN = 20;

/** Rejects with a sentence and the end of what the build said. */
export async function buildImages(): Promise<void> {
  const base = baseImage();
  const onBase = base ? ["--build-arg", `BASE_IMAGE=${base}`] : [];
  await build(SHIPPED, ...onBase, ".");
  await build(POSTGRES_IMAGE, ...onBase, "postgres");
  await build(IMAGE, "--file", "e2e/containers/Dockerfile", "e2e");
}

async function build(image: string, ...args: string[]) {
  const docker = spawn("docker", ["build", "--tag", image, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = Promise.all([text(docker.stdout), text(docker.stderr)]);
  const [code] = await once(docker, "close").catch((error: Error) => {
    throw new Error(`the image ${image} cannot be built: ${error.message}`);
  });
  if (code === 0) return;
  const lines = (await said).join("").trimEnd().split("\n").slice(-LINES_SHOWN);
  throw new Error(`the image ${image} cannot be built: docker build says\n${lines.join("\n")}`);
}

/** As compose has it: the shell's word counts before that of .env, and an empty one is none. */
function baseImage(): string | undefined {
  return process.env.BASE_IMAGE || settingsFile().BASE_IMAGE;
}

function settingsFile(): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(join(ROOT, ".env"), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}
