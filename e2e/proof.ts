// `make proof`: every suite that takes longer than a contributor waits for, one after the other. Each
// suite writes its output to reports/proof/. The result goes to reports/proof.json and, after a run of
// all suites, to a table in docs/RELIABILITY.md.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { finished } from "node:stream/promises";
import { Command } from "commander";
import { fail } from "../runtime/fail.ts";
import { onStopSignal } from "../runtime/signals.ts";
import { markdown, writeSection } from "./document.ts";
import { showProgress } from "./progress.ts";

type Suite = { name: string; finds: string; script: string; env?: Record<string, string> };

type Result = { suite: string; passed: boolean; seconds: number; log: string };

const LIBZMQ = { MDP_TRANSPORT: "libzmq" };

const SUITES: Suite[] = [
  { name: "processes-libzmq", finds: "processes on libzmq", script: "test:processes", env: LIBZMQ },
  { name: "conformance-libzmq", finds: "the RFCs on libzmq", script: "conformance", env: LIBZMQ },
  { name: "peers-libzmq", finds: "foreign peers with libzmq", script: "peers", env: LIBZMQ },
  {
    name: "versions-libzmq",
    finds: "0.1.0 and 0.2.0 together on libzmq",
    script: "test:versions",
    env: LIBZMQ,
  },
  {
    name: "simulation",
    finds: "rules that fail together, with 20,000 seeds",
    script: "simulate",
    env: { SEEDS: "20000" },
  },
  { name: "containers", finds: "scenarios in containers, with their times", script: "e2e" },
  {
    name: "chaos",
    finds: "ten minutes of random faults",
    script: "chaos",
    env: { DURATION: "10m" },
  },
  { name: "mutants", finds: "rules that no test protects", script: "mutants" },
  { name: "bench", finds: "benchmark programs that do not run", script: "test:bench" },
];

const FOLDER = "reports/proof";

const names = SUITES.map(({ name }) => name);
const { only } = new Command("proof")
  .description(`Runs the long suites: ${SUITES.map(describe).join("; ")}.`)
  .option("--only <suites>", "comma-separated names of suites", names.join(","))
  .parse()
  .opts<{ only: string }>();
const chosen = only.split(",");
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length > 0)
  fail("proof", `no suite ${unknown.join(", ")}; there are ${names.join(", ")}`);

mkdirSync(FOLDER, { recursive: true });
const stop = new AbortController();
onStopSignal(() => stop.abort());

const results: Result[] = [];
for (const suite of SUITES.filter(({ name }) => chosen.includes(name))) {
  const result = await run(suite);
  if (stop.signal.aborted) fail("proof", `stopped during ${suite.name}`);
  results.push(result);
  const { passed, seconds, log } = result;
  process.stdout.write(`${passed ? "✔" : "✘"} ${suite.name}, ${seconds} s (${log})\n`);
}

writeFileSync("reports/proof.json", `${JSON.stringify(results, null, 2)}\n`);
if (chosen.length === names.length) writeSection("docs/RELIABILITY.md", "proof", section(results));
const failed = results.filter(({ passed }) => !passed).length;
process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

async function run({ name, script, env }: Suite): Promise<Result> {
  const log = `${FOLDER}/${name}.log`;
  const output = createWriteStream(log);
  const start = performance.now();
  const elapsed = () => Math.round((performance.now() - start) / 1000);
  const nth = results.length + 1;
  const state = () => ({
    done: results.length,
    text: `${name} (${nth} of ${chosen.length}), ${elapsed()} s`,
  });
  const progress = showProgress(chosen.length, state);
  const child = spawn("npm", ["run", "--silent", script], {
    env: { ...process.env, ...env },
    signal: stop.signal,
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream.pipe(output, { end: false });
  const [code] = await once(child, "close").catch(() => [1]);
  output.end();
  await finished(output);
  progress.end();
  return { suite: name, passed: code === 0, seconds: elapsed(), log };
}

function section(all: Result[]): string {
  const machine = `on a machine with ${availableParallelism()} cores, Node ${process.versions.node}`;
  const rows = all.map(({ suite, passed, seconds }) => [
    suite,
    SUITES.find(({ name }) => name === suite)?.finds ?? "",
    passed ? "passed" : "failed",
    `${seconds} s`,
  ]);
  const table = markdown(["Suite", "Finds", "Result", "Time"], rows);
  return `## All long suites\n\n\`make proof\`, ${machine}:\n\n${table}`;
}

function describe({ name, finds }: Suite): string {
  return `${name} (${finds})`;
}
