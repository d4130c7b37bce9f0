// The files of a run in reports/, named after its seed.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Stack } from "../containers/stack.ts";
import type { ChaosResult } from "./chaos-result.ts";
import type { LogCollector } from "./log-collector.ts";

const FOLDER = "reports";

/** Returns the path of the page. */
export function saveTimeline({ seed }: ChaosResult, html: string): string {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `chaos-${seed}.html`);
  writeFileSync(path, html);
  return path;
}

/**
 * Saves the logs of all containers over all their starts, the history, the requests and the faults: one
 * file of JSON lines each. Resolves to their folder.
 */
export async function saveLogs(
  stack: Stack,
  result: ChaosResult,
  logs: LogCollector,
): Promise<string> {
  const folder = join(FOLDER, `chaos-${result.seed}`);
  mkdirSync(folder, { recursive: true });
  for (const { name, id } of [stack.broker, ...stack.workers])
    await saveLog(id, join(folder, `${name}.ndjson`));
  const history = [...stack.history, ...logs.executions];
  await saveLines(join(folder, "history.ndjson"), history);
  await saveLines(join(folder, "requests.ndjson"), result.requests);
  await saveLines(join(folder, "faults.ndjson"), result.faults);
  return folder;
}

async function saveLog(id: string, path: string) {
  const file = openSync(path, "w");
  await once(spawn("docker", ["logs", id], { stdio: ["ignore", file, file] }), "close");
}

async function saveLines(path: string, entries: Iterable<object>) {
  await pipeline(Readable.from(lines(entries)), createWriteStream(path));
}

function* lines(entries: Iterable<object>) {
  for (const entry of entries) yield `${JSON.stringify(entry)}\n`;
}
