// Injects random faults into a stack under load, and checks that no request is lost.
//
//   make chaos                            60 s with a random seed
//   DURATION=30m make chaos
//   SEED=42 DURATION=60s make chaos       replays the faults of this seed

import { fail } from "../../runtime/fail.ts";
import { endWithReader } from "../../runtime/output.ts";
import { onStopSignal } from "../../runtime/signals.ts";
import { engineAnswers } from "../containers/engine.ts";
import { buildImages } from "../containers/images.ts";
import { canDropPackets } from "../containers/nemesis.ts";
import { ChaosRun } from "./chaos-run.ts";
import { startChaosStack } from "./chaos-stack.ts";
import { FAULT_KINDS } from "./fault-schedule.ts";
import { findings } from "./findings.ts";
import { saveLogs, saveTimeline } from "./report-files.ts";
import { chaosSettings } from "./settings.ts";
import { replay, report } from "./text-report.ts";
import { timeline } from "./timeline.ts";
import { REQUESTS_PER_SECOND } from "./traffic.ts";

endWithReader("chaos");
const settings = chaosSettings();
const stop = new AbortController();
onStopSignal(() => stop.abort());

say(`Chaos: ${replay(settings)}`);
if (!(await engineAnswers()))
  fail("chaos", "no Docker engine answers; start one, or set DOCKER_HOST to its address");
say("Building the images …");
await buildImages().catch((error) => giveUp(error.message));
const stack = await startChaosStack().catch((error) =>
  giveUp(`cannot start the stack: ${error.message}`),
);
if (stop.signal.aborted) giveUp("");
const unsupported = (await canDropPackets(stack.broker))
  ? []
  : FAULT_KINDS.filter((kind) => kind === "black-holed" || kind === "losing packets");
if (unsupported.length > 0)
  say(`Not injected: ${unsupported.join(", ")}; only root can, on the engine's machine.`);

say(`1 broker, ${stack.workers.length} workers, ${REQUESTS_PER_SECOND} requests per second.`);
const run = new ChaosRun(stack, settings, unsupported);
const result = await run.finish(stop.signal);
const passed = findings(result).length === 0;
say(`\n${report(result)}\nTimeline: ${saveTimeline(result, timeline(result))}`);
if (!passed) say(`Logs and history: ${await saveLogs(stack, result, run.logs)}/`);
await stack[Symbol.asyncDispose]();
process.exitCode = passed ? 0 : 1;

function giveUp(reason: string): never {
  fail("chaos", stop.signal.aborted ? "stopped before the first fault" : reason);
}

function say(text: string) {
  process.stdout.write(`${text}\n`);
}
