// Builds the images of the container tests: the two shipped images, and the shipped image with the
// service `slow`. The build takes no time if nothing has changed.

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

/** Rejects with the name of the image and the last lines of the build's output. */
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
  const output = Promise.all([text(docker.stdout), text(docker.stderr)]);
  const [code] = await once(docker, "close").catch((error: Error) => {
    throw new Error(`cannot build the image ${image}: ${error.message}`);
  });
  if (code === 0) return;
  const lines = (await output).join("").trimEnd().split("\n").slice(-LINES_SHOWN);
  const end = lines.join("\n");
  throw new Error(`cannot build the image ${image}: docker build exited with ${code}\n${end}`);
}

/** BASE_IMAGE as compose resolves it: the shell before .env; an empty value counts as unset. */
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
