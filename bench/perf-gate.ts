// The performance gate: fails if the broker or its transport uses a third more CPU time than
// before. It measures each relative to a baseline loop in the same run, so the ratio holds on slow
// and fast machines. `npm run -s perf:gate -- --update` stores the ratios that it measures.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { baselineDecisions, decisions } from "./perf-gate/broker-decisions.ts";
import { cpuRatio } from "./perf-gate/cpu-ratio.ts";
import { baselineRoundTrips, transportRoundTrips } from "./perf-gate/transport-round-trips.ts";
import { median } from "./statistics.ts";

const STORED = "bench/perf-gate.json";
const RATIO_MAX = 4 / 3;
const SLICES = 40;
/** A disturbance rarely lasts for all tries; a slower program is slower in each. */
const TRIES = 3;
/** Runs whose median `--update` stores. */
const RUNS = 5;

type Ratios = Record<string, number>;

const MEASURES: Record<string, () => Promise<number>> = {
  "the broker's decisions": () => cpuRatio(decisions(), baselineDecisions(), SLICES),
  "the transport's round trips": compareTransport,
};

if (process.argv.includes("--update")) store();
else if (process.argv.includes("--once")) process.stdout.write(JSON.stringify(await measureOnce()));
else await gate(JSON.parse(readFileSync(STORED, "utf8")));

async function gate(stored: Ratios) {
  for (const [name, measure] of Object.entries(MEASURES)) {
    const before = stored[name] ?? Number.NaN;
    const ratio = await least(measure, before * RATIO_MAX);
    const change = ratio / before;
    const measured = `${ratio.toFixed(2)} × the baseline loop, before ${before} ×`;
    process.stdout.write(`perf-gate: ${name}: ${measured}: changed by ${change.toFixed(2)} ×\n`);
    if (change <= RATIO_MAX) continue;
    process.stderr.write(`perf-gate: ${name} use more than a third more CPU time than before\n`);
    process.exitCode = 1;
  }
}

/** Measures in new processes, because the same code runs faster later in a process. */
function store() {
  const runs = Array.from({ length: RUNS }, (): Ratios => {
    const args = [...process.execArgv, import.meta.filename, "--once"];
    return JSON.parse(spawnSync(process.execPath, args, { encoding: "utf8" }).stdout);
  });
  const ratios = Object.keys(MEASURES).map((name) => {
    const ratio = median(runs.map((run) => run[name] as number));
    return [name, Number(ratio.toFixed(3))];
  });
  writeFileSync(STORED, `${JSON.stringify(Object.fromEntries(ratios), null, 2)}\n`);
}

async function measureOnce(): Promise<Ratios> {
  const ratios: Ratios = {};
  for (const [name, measure] of Object.entries(MEASURES)) ratios[name] = await measure();
  return ratios;
}

/** The first ratio within the bound, or the least of all tries. */
async function least(measure: () => Promise<number>, bound: number): Promise<number> {
  let ratio = await measure();
  for (let tries = 1; tries < TRIES && ratio > bound; tries += 1)
    ratio = Math.min(ratio, await measure());
  return ratio;
}

async function compareTransport(): Promise<number> {
  const [transport, baseline] = [await transportRoundTrips(), await baselineRoundTrips()];
  try {
    return await cpuRatio(transport.slice, baseline.slice, SLICES);
  } finally {
    transport.close();
    baseline.close();
  }
}
