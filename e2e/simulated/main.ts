// Runs the simulation: many seeds and a summary, or one seed with its trace.
//
//   npm run simulate               2,000 seeds, the first one random
//   SEEDS=100000 npm run simulate
//   FROM=1 SEEDS=500 npm run simulate
//   SEED=42 npm run simulate       one seed, with its trace

import { randomInt } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { count, digits } from "../../clients/load/format.ts";
import { endWithReader } from "../../runtime/output.ts";
import { readSettings, whole } from "../../runtime/settings.ts";
import { onStopSignal } from "../../runtime/signals.ts";
import { showProgress } from "../progress.ts";
import { failure, summary } from "./page.ts";
import { simulate } from "./simulation.ts";
import { Tally } from "./tally.ts";

const SEED_MAX = 2 ** 32 - 1;
const TAIL_LINES = 60;
const BREATH_MS = 100;

const { SEED, SEEDS, FROM } = readSettings("simulate", {
  SEED: whole("a seed", 0, SEED_MAX, -1),
  SEEDS: whole("a number of seeds", 1, 100_000_000, 2000),
  FROM: whole("a seed", 0, SEED_MAX, randomInt(1_000_000_000)),
});
endWithReader("simulate");
if (SEED >= 0) replay(SEED);
else await many();

function replay(seed: number) {
  const run = simulate(seed, { traced: true });
  for (const line of run.trace) say(line);
  say(`Configuration: ${JSON.stringify(run.configuration)}`);
  say(run.violation ?? "No violation.");
  process.exitCode = run.violation === null ? 0 : 1;
}

async function many() {
  const start = performance.now();
  const tally = new Tally();
  const progress = showProgress(SEEDS, () => ({
    done: tally.runs,
    text: progressText(tally, (performance.now() - start) / 1000),
  }));
  let shown = "";
  let stopped = false;
  onStopSignal(() => {
    stopped = true;
  });
  for (let breathAt = start; tally.runs < SEEDS && !stopped; ) {
    const run = simulate((FROM + tally.runs) % (SEED_MAX + 1));
    tally.add(run);
    if (run.violation !== null && shown === "")
      shown = `${failure(simulate(run.seed, { traced: true }), TAIL_LINES)}\n\n`;
    if (performance.now() - breathAt < BREATH_MS) continue;
    await setImmediate(); // Lets signals and the progress line in.
    breathAt = performance.now();
  }
  progress.end();
  say(shown + summary(tally, FROM, (performance.now() - start) / 1000));
  process.exitCode = tally.passed ? 0 : 1;
}

function progressText({ runs, requests, failed }: Tally, seconds: number): string {
  return (
    `${count(runs)} of ${count(SEEDS)} seeds  ${digits(runs / seconds)} per second  ` +
    `${count(requests)} requests  violations ${count(failed.length)}`
  );
}

function say(text: string) {
  process.stdout.write(`${text}\n`);
}
