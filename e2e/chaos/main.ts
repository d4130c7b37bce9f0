// Everything goes wrong at random for a while, under load, and nothing may be lost by it.
//
//   make chaos                            a minute, from a random seed on
//   DURATION=30m make chaos
//   SEED=42 DURATION=60s make chaos       the same faults again

import { fail } from "../../runtime/fail.ts";
import { endWithReader } from "../../runtime/output.ts";
import { onStopSignal } from "../../runtime/signals.ts";
import { engineAnswers } from "../containers/engine.ts";
import { buildImages } from "../containers/images.ts";
import { canDropPackets } from "../containers/nemesis.ts";
import { findings } from "./findings.ts";
import { populate } from "./population.ts";
import { replay, report } from "./report.ts";
import { saveEvidence, savePage } from "./reports.ts";
import { Run } from "./run.ts";
import { KINDS } from "./schedule.ts";
import { chaosSettings } from "./settings.ts";
import { timeline } from "./timeline.ts";
import { PER_SECOND } from "./traffic.ts";

endWithReader();
const settings = chaosSettings();
const stop = new AbortController();
onStopSignal(() => stop.abort());

say(`Chaos: ${replay(settings)}`);
if (!(await engineAnswers()))
  fail("chaos", "no Docker engine answers: start one, or set DOCKER_HOST to where it is");
say("Building the images if need be …");
await buildImages().catch((error) => giveUp(error.message));
const stack = await populate().catch((error) => giveUp(`no stack: ${error.message}`));
if (stop.signal.aborted) giveUp("");
const leftOut = (await canDropPackets(stack.broker))
  ? []
  : KINDS.filter((kind) => kind === "black-holed" || kind === "losing packets");
if (leftOut.length > 0)
  say(`Left out: ${leftOut.join(", ")}. Only root can, where the engine runs.`);

say(`${stack.workers.length} workers and a broker, ${PER_SECOND} requests a second.`);
const run = new Run(stack, settings, leftOut);
const facts = await run.finish(stop.signal);
const passed = findings(facts).length === 0;
say(`\n${report(facts)}\nTimeline: ${savePage(facts, timeline(facts))}`);
if (!passed) say(`Logs and history: ${await saveEvidence(stack, facts, run.witness)}/`);
await stack[Symbol.asyncDispose]();
process.exitCode = passed ? 0 : 1;

function giveUp(reason: string): never {
  fail("chaos", stop.signal.aborted ? "stopped before anything went wrong" : reason);
}

function say(text: string) {
  process.stdout.write(`${text}\n`);
}
