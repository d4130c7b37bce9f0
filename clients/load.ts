// The load client: sends requests for a while, checks every reply and reports. Its parts: load/.

import { fail } from "../runtime/fail.ts";
import { endWithReader } from "../runtime/output.ts";
import { onStopSignal } from "../runtime/signals.ts";
import { loadTransport } from "../transport/load-transport.ts";
import { unreachableSentence } from "../transport/transport.ts";
import { Client } from "./client.ts";
import { loadOptions, servicesOf } from "./load/options.ts";
import { showProgress } from "./load/progress.ts";
import { whyNotReady } from "./load/ready.ts";
import { makeReport } from "./load/report.ts";
import { reportText } from "./load/report-text.ts";
import { run } from "./load/run.ts";
import { Statistics } from "./load/statistics.ts";

endWithReader("load");
const options = loadOptions();
const CLEAR_LINE = "\r\x1b[K"; // The progress bar may be on it.
const services = servicesOf(options);
const stop = new AbortController();
const leave = new AbortController();
// A run that drains already has ended by its duration.
onStopSignal(
  () => (stop.signal.aborted ? leave : stop).abort(),
  undefined,
  () => leave.abort(),
);

const note = (sentence: string) =>
  process.stderr.write(`${process.stderr.isTTY ? CLEAR_LINE : ""}load: ${sentence}\n`);
const client = new Client(options.broker, {
  onUnreachable: (failure) => note(unreachableSentence(failure)),
  messageBytesMax: options.messageBytesMax,
  transport: await loadTransport(options.transport),
});
const problem = await whyNotReady(client, options.broker, services, note, stop.signal);
if (problem) fail("load", problem);
if (options.duration > 0) setTimeout(() => stop.abort(), options.duration * 1000).unref();

const statistics = new Statistics(services, performance.now());
const hideProgress = showProgress(options, statistics, client, stop.signal);
const facts = await run(client, options, statistics, stop.signal, leave.signal).catch((error) => {
  if (error instanceof RangeError) fail("load", error.message); // A body or a name that is too long.
  throw error;
});
hideProgress();

const report = makeReport(options, facts, statistics, client);
process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : reportText(report)}\n`);
process.exitCode = report.passed ? 0 : 1;
