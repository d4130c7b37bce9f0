// Fails if the broker or its transport takes a third more CPU time than it did. Each is measured
// against a bare loop in the same run, so that it is the same on slow machines and on fast ones.
// `npm run -s guard -- --update` keeps what is measured as what is to be held.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { median } from "./figures.ts";
import { bareDecisions, decisions } from "./guard/core.ts";
import { bareBytes, messages } from "./guard/round-trips.ts";
import { compare } from "./guard/slices.ts";

const KEPT = "bench/guard.json";
const MORE_AT_MOST = 4 / 3;
const SLICES = 40;
const TRIES = 3; // What is slower each time is slower.
const RUNS = 5; // To know what is usual.

type Ratios = Record<string, number>;

const MEASURES: Record<string, () => Promise<number>> = {
  "the broker's decisions": () => compare(decisions(), bareDecisions(), SLICES),
  "the transport's round trips": compareTransport,
};

if (process.argv.includes("--update")) keep();
else if (process.argv.includes("--once")) process.stdout.write(JSON.stringify(await once()));
else await guard(JSON.parse(readFileSync(KEPT, "utf8")));

async function guard(kept: Ratios) {
  for (const [name, measure] of Object.entries(MEASURES)) {
    const before = kept[name] ?? Number.NaN;
    const ratio = await least(measure, before * MORE_AT_MOST);
    const change = ratio / before;
    const said = `${ratio.toFixed(2)} × a bare loop, where it was ${before}`;
    process.stdout.write(`guard: ${name}: ${said}: ${change.toFixed(2)} × that\n`);
    if (change <= MORE_AT_MOST) continue;
    process.stderr.write(`guard: ${name} take more CPU time, by more than a third\n`);
    process.exitCode = 1;
  }
}

/** In processes of their own: the later in a process, the faster the same code runs. */
function keep() {
  const runs = Array.from({ length: RUNS }, (): Ratios => {
    const args = [...process.execArgv, import.meta.filename, "--once"];
    return JSON.parse(spawnSync(process.execPath, args, { encoding: "utf8" }).stdout);
  });
  const usual = Object.keys(MEASURES).map((name) => {
    const ratio = median(runs.map((run) => run[name] as number));
    return [name, Number(ratio.toFixed(3))];
  });
  writeFileSync(KEPT, `${JSON.stringify(Object.fromEntries(usual), null, 2)}\n`);
}

async function once(): Promise<Ratios> {
  const ratios: Ratios = {};
  for (const [name, measure] of Object.entries(MEASURES)) ratios[name] = await measure();
  return ratios;
}

/** The first ratio within the bound, or the least of some. */
async function least(measure: () => Promise<number>, bound: number): Promise<number> {
  let ratio = await measure();
  for (let tries = 1; tries < TRIES && ratio > bound; tries += 1)
    ratio = Math.min(ratio, await measure());
  return ratio;
}

async function compareTransport(): Promise<number> {
  const [ours, bare] = [await messages(), await bareBytes()];
  try {
    return await compare(ours.slice, bare.slice, SLICES);
  } finally {
    ours.close();
    bare.close();
  }
}
