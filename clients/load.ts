// The load client: asks for a while, checks every reply, and reports. Its parts are in load/.

import { fail } from "../runtime/fail.ts";
import { endWithReader } from "../runtime/output.ts";
import { onStopSignal } from "../runtime/signals.ts";
import { loadTransport } from "../transport/load.ts";
import { Client } from "./client.ts";
import { loadOptions } from "./load/options.ts";
import { page } from "./load/page.ts";
import { showProgress } from "./load/progress.ts";
import { missing } from "./load/ready.ts";
import { makeReport } from "./load/report.ts";
import { run } from "./load/run.ts";
import { Tally } from "./load/tally.ts";

endWithReader();
const options = loadOptions();
const services = [...options.mix.keys()];
const stop = new AbortController();
onStopSignal(() => stop.abort());

const client = new Client(options.broker, { transport: await loadTransport(options.transport) });
const say = (sentence: string) => process.stderr.write(`load: ${sentence}\n`);
const lack = await missing(client, options.broker, services, say, stop.signal);
if (lack) fail("load", lack);
if (options.duration > 0) setTimeout(() => stop.abort(), options.duration * 1000).unref();

const tally = new Tally(services, performance.now());
const hideProgress = showProgress(options, tally, client, stop.signal);
const facts = await run(client, options, tally, stop.signal);
hideProgress();

const report = makeReport(options, facts, tally, client);
process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : page(report)}\n`);
process.exitCode = report.passed ? 0 : 1;
