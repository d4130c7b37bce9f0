// The performance gate: fails if the broker, its transport, the shipped client or worker, or a queued
// request costs more than before. It measures each relative to a baseline in the same run, so the
// ratio holds on slow and fast machines. `npm run -s perf:gate -- --update` stores the ratios that
// it measures.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { copyRatio } from "./perf-gate/body-copies.ts";
import { baselineDecisions, decisions } from "./perf-gate/broker-decisions.ts";
import { baselineCalls, clientCalls } from "./perf-gate/client-calls.ts";
import { cpuRatio } from "./perf-gate/cpu-ratio.ts";
import { memoryRatio } from "./perf-gate/queued-memory.ts";
import { baselineRoundTrips, transportRoundTrips } from "./perf-gate/transport-round-trips.ts";
import { baselineJobs, workerJobs } from "./perf-gate/worker-jobs.ts";
import { median } from "./statistics.ts";

const STORED = "bench/perf-gate.json";
const THIRD_MORE = 4 / 3;
const TENTH_MORE = 1.1;
const SLICES = 40;
/** A disturbance rarely lasts for all tries; a slower program is slower in each. */
const TRIES = 3;
/** Runs whose median `--update` stores. */
const RUNS = 5;

type Ratios = Record<string, number>;
type Measure = {
  /** The ratio of the cost to that of the baseline. */
  ratio(): number | Promise<number>;
  /** The gate fails if the ratio has grown by more than this factor. */
  growthMax: number;
};

const MEASURES: Record<string, Measure> = {
  "the broker's decisions": {
    ratio: () => cpuRatio(decisions(), baselineDecisions(), SLICES),
    growthMax: THIRD_MORE,
  },
  "the transport's round trips": { ratio: compareTransport, growthMax: THIRD_MORE },
  "the client's calls": { ratio: compareClient, growthMax: TENTH_MORE },
  "the worker's jobs": {
    ratio: () => cpuRatio(workerJobs(), baselineJobs(), SLICES),
    growthMax: TENTH_MORE,
  },
  "memory allocated for bodies of 64 KiB": {
    ratio: () => copyRatio(2 ** 16),
    growthMax: TENTH_MORE,
  },
  "memory allocated for bodies of 1 MiB": {
    ratio: () => copyRatio(2 ** 20),
    growthMax: TENTH_MORE,
  },
  "memory of a queued request of 64 bytes": {
    ratio: () => memoryRatio("heap", "request", 64),
    growthMax: TENTH_MORE,
  },
  "memory of a queued call of 64 bytes": {
    ratio: () => memoryRatio("heap", "call", 64),
    growthMax: TENTH_MORE,
  },
  "memory of a queued request of 1 KiB": {
    ratio: () => memoryRatio("heap", "request", 1024),
    growthMax: TENTH_MORE,
  },
  "resident memory of a queued request of 1 KiB": {
    ratio: () => memoryRatio("resident", "request", 1024),
    growthMax: THIRD_MORE, // Unchanged code measures up to an eighth more.
  },
};

const ADVICE = `perf-gate: make the change cheaper. If it is worth its cost, run
perf-gate:   npm run -s perf:gate -- --update
perf-gate: on a calm machine, and state the old and the new ratio in the commit, under Measured.
`;

const [option, name] = process.argv.slice(2);
if (option === "--update") store();
else if (option === "--measure") process.stdout.write(String(await MEASURES[name ?? ""]?.ratio()));
else gate(JSON.parse(readFileSync(STORED, "utf8")));

function gate(stored: Ratios) {
  for (const [name, { growthMax }] of Object.entries(MEASURES)) {
    const before = stored[name] ?? Number.NaN;
    const ratio = least(name, before * growthMax);
    const growth = ratio / before;
    const measured = `${ratio.toFixed(2)} × the baseline, before ${before} ×`;
    process.stdout.write(`perf-gate: ${name}: ${measured}: changed by ${growth.toFixed(2)} ×\n`);
    if (growth <= growthMax) continue;
    const bound = `more than the allowed ${growthMax.toFixed(2)} × of before`;
    process.stderr.write(`perf-gate: ${name}: the cost is ${growth.toFixed(2)} ×, ${bound}\n`);
    process.exitCode = 1;
  }
  if (process.exitCode === 1) process.stderr.write(ADVICE);
}

function store() {
  const ratios = Object.keys(MEASURES).map((name) => {
    const runs = Array.from({ length: RUNS }, () => measure(name));
    return [name, Number(median(runs).toFixed(3))];
  });
  writeFileSync(STORED, `${JSON.stringify(Object.fromEntries(ratios), null, 2)}\n`);
}

/** The first ratio within the bound, or the least of all tries. */
function least(name: string, bound: number): number {
  let ratio = measure(name);
  for (let tries = 1; tries < TRIES && ratio > bound; tries += 1)
    ratio = Math.min(ratio, measure(name));
  return ratio;
}

/** Measures in a new process, because the same code runs faster later in a process. */
function measure(name: string): number {
  const args = [...process.execArgv, "--expose-gc", import.meta.filename, "--measure", name];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const ratio = Number.parseFloat(stdout);
  if (Number.isNaN(ratio)) throw new Error(`cannot measure ${name}: ${stderr}`);
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

async function compareClient(): Promise<number> {
  const { slice, close } = clientCalls();
  try {
    return await cpuRatio(slice, baselineCalls(), SLICES);
  } finally {
    close();
  }
}
