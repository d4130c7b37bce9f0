// Runs a suite once on each transport, side by side: most of its time it waits. What each says is
// printed when it is done. With MDP_TRANSPORT set, on that one alone.
//
//   node --import tsx e2e/transports.ts conformance

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fail } from "../runtime/fail.ts";
import { readSettings, transport } from "../runtime/settings.ts";
import { TRANSPORTS } from "../transport/transport.ts";

const SUITES = ["processes", "conformance", "peers"];

const [, , suite = ""] = process.argv;
if (!SUITES.includes(suite)) fail("transports", `"${suite}" is no suite: ${SUITES.join(", ")}`);
const { MDP_TRANSPORT } = readSettings("transports", { MDP_TRANSPORT: transport });

const transports = process.env.MDP_TRANSPORT ? [MDP_TRANSPORT] : TRANSPORTS;
const runs = await Promise.all(transports.map(run));
for (const { on, passed, output } of runs) {
  process.stdout.write(`${suite} on ${on}:\n${output}`);
  if (!passed) process.exitCode = 1;
}

async function run(on: string) {
  const env = { ...process.env, MDP_TRANSPORT: on };
  const child = promisify(execFile)("npm", ["run", "-s", suite], { env, maxBuffer: 2 ** 28 });
  const ended = await child.then(
    ({ stdout, stderr }) => ({ passed: true, stdout, stderr }),
    ({ stdout, stderr }) => ({ passed: false, stdout, stderr }),
  );
  return { on, passed: ended.passed, output: `${ended.stdout}${ended.stderr}` };
}
