// The main job in twenty seconds, as local processes: a broker, five workers and a load client. One
// worker is killed and one is frozen under load, and the end shows what that cost: nothing lost.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { count } from "../clients/load/format.ts";
import { page } from "../clients/load/page.ts";
import type { Report } from "../clients/load/report.ts";
import { fail } from "../runtime/fail.ts";
import type { LogLine } from "./journal.ts";
import { freeEndpoint, Program } from "./processes/program.ts";

const HEARTBEAT_INTERVAL_MS = 500;
const HEARTBEAT_LIVENESS = 3;
const LOAD = ["--rate", "200", "--duration", "14", "--every", "2", "--json"];

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

tell(`A broker at ${endpoint}, 2 echo, 1 math and 2 db workers, a process each.`);
tell(`Heartbeats every ${HEARTBEAT_INTERVAL_MS} ms; a worker silent for 3 of them is purged.`);
const broker = run("broker", "broker/main.ts");
broker.onLine = tellOfWorkers;
await broker.logged("broker.listening");
const [, echo2, , , db2] = ["echo", "echo", "math", "db", "db"].map((service) =>
  run(service, `workers/${service}.ts`),
) as [Program, Program, Program, Program, Program];
await registered(5);

tell("The load client asks 200 times a second and checks every reply.");
const load = run("load", "clients/load.ts", LOAD);
load.onError = (line) => tell(line, "load");
await seconds(4);

tell(`SIGKILL to echo ${echo2.pid}, stopped for a moment first so that it dies with work in hand.`);
echo2.signal("SIGSTOP");
await setTimeout(150);
echo2.signal("SIGKILL");
await removed("gone");
await seconds(2);

tell(`SIGSTOP to db ${db2.pid}: frozen. Its connection stays open, so only its silence tells.`);
db2.signal("SIGSTOP");
await removed("expired");
await seconds(2);

tell(`SIGCONT to db ${db2.pid}: it thaws, finds that it was given up, and registers anew.`);
db2.signal("SIGCONT");
await registered(6);

tell("The load goes on to its end.");
const { code } = await load.ended;
const report = parse(load);
for (const program of programs) if (program !== broker && program.running) await program.stop();
await broker.stop();
process.stdout.write(`\n${page(report)}\n\n${verdict(report)}\n`);
process.exitCode = code === 0 && onTheDead() > 0 ? 0 : 1;

function run(name: string, file: string, args: string[] = []): Program {
  const program = new Program(file, args, settings);
  programs.push(program);
  void program.ended.then(({ code, signal }) => {
    if (code !== 0 && signal === null)
      fail(name, `ended with exit code ${code}\n${program.errors}`);
  });
  return program;
}

/** The broker's own words on what happens to workers. */
function tellOfWorkers({ event = "", msg = "" }: LogLine) {
  const told = ["worker.registered", "worker.removed", "replies.dropped"];
  if (told.includes(event)) tell(msg, "broker");
}

function tell(sentence: string, who = "demo") {
  const at = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
  process.stdout.write(`${at} s  ${who.padEnd(6)}  ${sentence}\n`);
}

function registered(count: number) {
  const seen = () => broker.log.filter(({ event }) => event === "worker.registered").length;
  return broker.logged("worker.registered", () => seen() >= count);
}

function removed(why: string) {
  return broker.logged("worker.removed", ({ reason }) => reason === why);
}

/** The pace of the story; nothing in it depends on this. */
function seconds(count: number) {
  return setTimeout(count * 1000);
}

function onTheDead(): number {
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
    `${count(total.sent)} requests, ${count(onTheDead())} of them on a worker that died or froze: ` +
    `lost ${total.lost}, answered twice ${total.duplicated}.`
  );
}
