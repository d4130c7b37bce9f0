// The main job in twenty seconds, as local processes: a broker, five workers and a load client.
// Under load the demo kills one worker and freezes another. It fails if a request is lost.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { count } from "../clients/load/format.ts";
import type { Report } from "../clients/load/report.ts";
import { reportText } from "../clients/load/report-text.ts";
import { fail } from "../runtime/fail.ts";
import type { LogLine } from "./process-log.ts";
import { freeEndpoint, Program } from "./processes/program.ts";

const HEARTBEAT_INTERVAL_MS = 500;
const HEARTBEAT_LIVENESS = 3;
const LOAD = ["--rate", "200", "--duration", "14", "--every", "3", "--json"];

/** Counts in a line of the load client that say that nothing went wrong. `lost 0` stays. */
const UNEVENTFUL = / +(retried|refused|wrong) 0\b/g;

const started = performance.now();
const programs: Program[] = [];
const folder = mkdtempSync(join(tmpdir(), "majordomo-demo-"));
const endpoint = await freeEndpoint();
const settings = {
  MDP_BIND: endpoint,
  MDP_BROKER: endpoint,
  MDP_HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS),
  MDP_HEARTBEAT_LIVENESS: String(HEARTBEAT_LIVENESS),
  MDP_DB_FILE: join(folder, "documents.sqlite"),
};
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

print(`Starting a broker at ${endpoint}, then 2 echo, 1 math and 2 db workers.`);
print(
  `Heartbeats every ${HEARTBEAT_INTERVAL_MS} ms. ` +
    `The broker removes a worker silent for ${HEARTBEAT_LIVENESS} intervals.`,
);
const broker = run("broker", "broker/main.ts");
broker.onLine = printWorkerEvent;
await broker.logged("broker.listening");
const [, echo2, , , db2] = ["echo", "echo", "math", "db", "db"].map((service) =>
  run(service, `workers/${service}.ts`),
) as [Program, Program, Program, Program, Program];
await registered(5);

print("The load client sends 200 requests per second and checks every reply.");
const load = run("load", "clients/load.ts", LOAD);
load.onError = (line) => print(line.replace(UNEVENTFUL, ""), "load");
await seconds(4);

print(`SIGSTOP, then SIGKILL to echo ${echo2.pid}, so that it dies with requests in flight.`);
echo2.signal("SIGSTOP");
await setTimeout(150);
echo2.signal("SIGKILL");
await removed("gone");
await seconds(2);

print(`SIGSTOP to db ${db2.pid}. Its connection stays open: only missing heartbeats reveal it.`);
db2.signal("SIGSTOP");
await removed("expired");
await seconds(2);

print(`SIGCONT to db ${db2.pid}. It finds that the broker removed it, and registers again.`);
db2.signal("SIGCONT");
await registered(6);

const { code } = await load.ended;
const report = parse(load);
print("The load client has finished. SIGTERM to the workers, then to the broker.");
broker.onLine = () => {}; // Each worker leaves now, which is no news.
for (const program of programs) if (program !== broker && program.running) await program.stop();
await broker.stop();
process.stdout.write(`\n${reportText({ ...report, latencyHistogram: [] })}\n${verdict(report)}\n`);
process.exitCode = code === 0 && interrupted() > 0 ? 0 : 1;

function run(name: string, file: string, args: string[] = []): Program {
  const program = new Program(file, args, settings);
  programs.push(program);
  void program.ended.then(({ code, signal }) => {
    if (code !== 0 && signal === null)
      fail(name, `ended with exit code ${code}\n${program.errors}`);
  });
  return program;
}

/** Prints the broker's log sentence if the event concerns a worker. */
function printWorkerEvent({ event = "", msg = "" }: LogLine) {
  const shown = ["worker.registered", "worker.removed", "replies.dropped"];
  if (shown.includes(event)) print(msg, "broker");
}

/** Prints one line: the time since the start, the program that the sentence is from, the sentence. */
function print(sentence: string, program = "demo") {
  const at = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
  process.stdout.write(`${at} s  ${program.padEnd(6)}  ${sentence}\n`);
}

function registered(count: number) {
  const seen = () => broker.log.filter(({ event }) => event === "worker.registered").length;
  return broker.logged("worker.registered", () => seen() >= count);
}

function removed(expected: string) {
  return broker.logged("worker.removed", ({ reason }) => reason === expected);
}

/** A pause for the reader; no step depends on it. */
function seconds(count: number) {
  return setTimeout(count * 1000);
}

/** How many requests the broker took back from the killed worker and from the frozen one. */
function interrupted(): number {
  return broker.log
    .filter(({ event, reason }) => event === "worker.removed" && reason !== "left")
    .reduce((sum, { requeued }) => sum + Number(requeued), 0);
}

function parse(program: Program): Report {
  if (program.output === "") fail("load", program.errors);
  return JSON.parse(program.output, (key, value) => (key.endsWith("At") ? new Date(value) : value));
}

function verdict({ total }: Report): string {
  return (
    `The two faults interrupted ${count(interrupted())} requests in flight. The broker requeued them: ` +
    `${total.lost} lost, ${total.duplicated} duplicated.`
  );
}
