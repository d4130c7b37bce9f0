// Measures this project and the systems that it is compared with, and writes docs/PERFORMANCE.md.

import { fail } from "../runtime/fail.ts";
import { onStopSignal } from "../runtime/signals.ts";
import { sectionTexts, writePage } from "./performance-page.ts";
import { plan } from "./plan.ts";
import { Results } from "./results.ts";
import { runPlan, runsOf } from "./run-plan.ts";
import { showProgress } from "./run-progress.ts";

const { ONLY: only = "", QUICK: quick = "" } = process.env;
const sections = plan(quick !== "").filter(({ title }) =>
  title.toLowerCase().includes(only.toLowerCase()),
);
if (sections.length === 0) fail("bench", `no section has "${only}" in its title`);
onStopSignal(() => process.exit(130));

const begunAt = performance.now();
const results = new Results();
const progress = showProgress(sections.map(runsOf).reduce((sum, runs) => sum + runs, 0));
await runPlan(sections, results, progress);
progress.finish();

if (only !== "") process.stdout.write(`${sectionTexts(sections, results).join("\n\n")}\n`);
else {
  const minutes = (performance.now() - begunAt) / 60_000;
  const command = quick ? "make bench QUICK=1" : "make bench";
  writePage(sections, results, { command, date: new Date().toISOString().slice(0, 10), minutes });
  process.stderr.write(`bench: wrote docs/PERFORMANCE.md after ${minutes.toFixed(1)} minutes\n`);
}
process.exitCode = results.failed.length > 0 ? 1 : 0;
