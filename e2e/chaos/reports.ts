// The files that a run leaves in reports/, named with its seed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Stack } from "../containers/stack.ts";
import type { Facts } from "./facts.ts";
import type { Witness } from "./witness.ts";

const FOLDER = "reports";

/** Resolves to the page's path. */
export function savePage({ seed }: Facts, html: string): string {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `chaos-${seed}.html`);
  writeFileSync(path, html);
  return path;
}

/** What all containers said in all their lives, and what happened: a file each, of JSON lines. */
export async function saveEvidence(stack: Stack, facts: Facts, witness: Witness): Promise<string> {
  const folder = join(FOLDER, `chaos-${facts.seed}`);
  mkdirSync(folder, { recursive: true });
  for (const { name, id } of [stack.broker, ...stack.workers])
    await saveLog(id, join(folder, `${name}.ndjson`));
  const history = [...stack.history, ...witness.executions];
  await saveLines(join(folder, "history.ndjson"), history);
  await saveLines(join(folder, "requests.ndjson"), facts.requests);
  await saveLines(join(folder, "faults.ndjson"), facts.faults);
  return folder;
}

async function saveLog(id: string, path: string) {
  const file = openSync(path, "w");
  await once(spawn("docker", ["logs", id], { stdio: ["ignore", file, file] }), "close");
}

async function saveLines(path: string, things: Iterable<object>) {
  await pipeline(Readable.from(lines(things)), createWriteStream(path));
}

function* lines(things: Iterable<object>) {
  for (const thing of things) yield `${JSON.stringify(thing)}\n`;
}
