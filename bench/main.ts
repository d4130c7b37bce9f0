// Measures this project beside others, on this machine, and writes docs/PERFORMANCE.md.

import { fail } from "../runtime/fail.ts";
import { onStopSignal } from "../runtime/signals.ts";
import { measureAll, runsOf } from "./measuring.ts";
import { sections, writePage } from "./page.ts";
import { plan } from "./plan.ts";
import { showProgress } from "./progress.ts";
import { Results } from "./results.ts";

const { ONLY: only = "", QUICK: quick = "" } = process.env;
const parts = plan(quick !== "").filter(({ title }) =>
  title.toLowerCase().includes(only.toLowerCase()),
);
if (parts.length === 0) fail("bench", `there is no part with ${only} in its title`);
onStopSignal(() => process.exit(130));

const begunAt = performance.now();
const results = new Results();
const progress = showProgress(parts.map(runsOf).reduce((sum, runs) => sum + runs, 0));
await measureAll(parts, results, progress);
progress.over();

if (only !== "") process.stdout.write(`${sections(parts, results).join("\n\n")}\n`);
else {
  const minutes = (performance.now() - begunAt) / 60_000;
  const command = quick ? "make bench QUICK=1" : "make bench";
  writePage(parts, results, { command, date: new Date().toISOString().slice(0, 10), minutes });
  process.stderr.write(`bench: docs/PERFORMANCE.md, after ${minutes.toFixed(1)} minutes\n`);
}
process.exitCode = results.failed.length > 0 ? 1 : 0;
