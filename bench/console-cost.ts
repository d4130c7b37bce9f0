// Measures what the console costs the broker: its CPU time with 500 idle workers, without a console, with
// one, and with one whose page is open. Writes the table of docs/OPERATIONS.md.

import { setTimeout as wait } from "node:timers/promises";
import { markdown, writeSection } from "../e2e/document.ts";
import { bareWorkers, broker, endpointOf } from "./ours/our-systems.ts";
import { ProcessGroup } from "./process-group.ts";
import { median } from "./statistics.ts";
import type { Program, Setting } from "./system.ts";
import { freePort, Workspace } from "./workspace.ts";

const WORKERS = 500;
const ROUNDS = 3;
/** The workers register, and V8 optimises the code. */
const REST_MS = 10_000;
const SETTLE_MS = 2000;
const MEASURED_MS = 12_000;

const SETTING: Setting = {
  ...{ clients: 1, outstanding: 1, bytes: 64, services: 1, credit: 16 },
  ...{ workers: WORKERS, inOneProcess: true, warmupSeconds: 0, seconds: 0 },
};

const consoleAt = (brokerPort: number, port: number): Program => ({
  role: "client",
  command: process.execPath,
  args: ["--max-semi-space-size=16", "--import", "tsx", "clients/console.ts"], // As `npm run console`.
  env: { MDP_BROKER: endpointOf(brokerPort), MDP_CONSOLE_PORT: String(port) },
  ready: { port },
});

await using workspace = await Workspace.make();
await using group = new ProcessGroup();
const { port } = workspace;
await group.startServers([broker("zmtp", port), ...bareWorkers("zmtp", port, SETTING)]);
await wait(REST_MS);

/** The broker's share of a core while this time passes, in percent. */
async function brokerPercent(): Promise<number> {
  await wait(SETTLE_MS);
  const [before, begunAt] = [group.usage("broker").cpuSeconds, performance.now()];
  await wait(MEASURED_MS);
  const used = group.usage("broker").cpuSeconds - before;
  return (used / ((performance.now() - begunAt) / 1000)) * 100;
}

async function withConsole(isOpen: boolean): Promise<number> {
  await using console = new ProcessGroup();
  const consolePort = await freePort();
  await console.start(consoleAt(port, consolePort));
  if (!isOpen) return brokerPercent();
  const page = new AbortController();
  const { body } = await fetch(`http://127.0.0.1:${consolePort}/api/live`, page);
  let bytes = 0;
  const reading = (async () => {
    for await (const chunk of body ?? []) bytes += chunk.length;
  })().catch(() => {}); // The end of the round aborts it.
  const percent = await brokerPercent();
  page.abort();
  await reading;
  if (bytes < WORKERS) throw new Error(`the page received ${bytes} bytes only`);
  return percent;
}

const STATES: [string, () => Promise<number>][] = [
  ["no console", brokerPercent],
  ["console, no page open", () => withConsole(false)],
  ["console, one page open", () => withConsole(true)],
];
const rounds: number[][] = [];
for (let round = 1; round <= ROUNDS; round += 1) {
  const measured: number[] = [];
  for (const [, measure] of STATES) measured.push(await measure());
  rounds.push(measured);
  process.stderr.write(`round ${round} of ${ROUNDS}: ${measured.map(twoDigits).join(", ")} %\n`);
}
const rows = STATES.map(([name], nth) => {
  const shares = rounds.map((measured) => measured[nth] ?? Number.NaN);
  const more = rounds.map((measured, round) => (shares[round] ?? 0) - (measured[0] ?? 0));
  return [name, `${twoDigits(median(shares))} %`, nth === 0 ? "–" : `${twoDigits(median(more))} %`];
});
const table = markdown(["500 idle workers", "the broker, of a core", "more than without"], rows);
writeSection("docs/OPERATIONS.md", "console cost", table);
process.stdout.write(`${table}\n`);

function twoDigits(value: number): string {
  return value.toFixed(2);
}
