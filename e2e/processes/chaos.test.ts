// Bad luck for real processes under load, drawn from a seed, and the judge of histories.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Client, Refused, RequestError } from "../../clients/client.ts";
import { type HistoryEvent, judge, type Outcome } from "../history.ts";
import { Random } from "../simulated/random.ts";
import { transport } from "../transport.ts";
import type { Program } from "./program.ts";
import { Stack } from "./stack.ts";

const SLOW = "e2e/processes/slow.ts";
const SEED = Number(process.env.SEED ?? 1);
const DURATION_MS = 15_000;
const LEASE_MS = 900;
const SETTINGS = {
  MDP_HEARTBEAT_INTERVAL_MS: "300",
  MDP_HEARTBEAT_LIVENESS: "3",
  MDP_DELIVERIES_MAX: "20", // So that no request is given up for the bad luck of its workers.
};

test(`everything killed, frozen, stopped: nothing lost, nothing twice (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  await using stack = await Stack.start(SETTINGS);
  const workers: Program[] = [];
  for (let nth = 0; nth < 4; nth += 1) workers.push(await stack.worker(SLOW));
  const every = new Set(workers); // Those that ended, too.
  const history: HistoryEvent[] = [];
  const stop = new AbortController();
  const clients = ["c1", "c2"].map((name) => keepAsking(name, stack, random, history, stop.signal));

  let round: Fault[] = []; // What is to come before anything comes again.
  for (const end = performance.now() + DURATION_MS; performance.now() < end; ) {
    if (round.length === 0) round = FAULTS;
    const fault = random.pick(round);
    round = round.filter((other) => other !== fault);
    await fault(stack, workers, random);
    for (const worker of workers) every.add(worker);
    await setTimeout(random.whole(100, 400));
  }
  for (const worker of workers) worker.signal("SIGCONT");
  stop.abort();
  await Promise.all(clients);

  history.push(...[...every].flatMap(executions));
  const { violations, ...verdict } = judge(history, { executionsMax: 20 });
  assert.deepEqual(violations, []);
  const { asked, answered, lost, duplicated, unexpected, misrouted } = verdict;
  assert.deepEqual(
    { answered, lost, duplicated, unexpected, misrouted },
    { answered: asked, lost: 0, duplicated: 0, unexpected: 0, misrouted: 0 },
  );
  assert.ok(asked > 100, `${asked} requests were asked`);
});

type Fault = (stack: Stack, workers: Program[], random: Random) => Promise<void>;

/** Ends a worker and has another in its place. */
async function replaceWorker(signal: NodeJS.Signals, [stack, workers, random]: Parameters<Fault>) {
  const place = random.whole(0, workers.length - 1);
  workers[place]?.signal(signal);
  workers[place] = stack.program(SLOW);
}

const killWorker: Fault = (...all) => replaceWorker("SIGKILL", all);
const stopWorker: Fault = (...all) => replaceWorker("SIGTERM", all);

/** For less than a lease or for more. */
async function freezeWorker(...[, workers, random]: Parameters<Fault>) {
  await freeze(random.pick(workers), random.whole(50, 2 * LEASE_MS));
}

async function freezeBroker(...[stack, , random]: Parameters<Fault>) {
  await freeze(stack.broker, random.whole(50, 2 * LEASE_MS));
}

async function freeze(program: Program, ms: number) {
  program.signal("SIGSTOP");
  await setTimeout(ms);
  program.signal("SIGCONT");
}

async function killBroker(stack: Stack) {
  await stack.broker.destroy();
  await stack.restartBroker();
}

async function stopBroker(stack: Stack) {
  assert.deepEqual(await stack.broker.stop(), { code: 0, signal: null });
  await stack.restartBroker();
}

const FAULTS = [killWorker, stopWorker, freezeWorker, freezeBroker, killBroker, stopBroker];

/** A client with eight requests outstanding, until it is told to stop and all of them have ended. */
async function keepAsking(
  name: string,
  { endpoint }: Stack,
  random: Random,
  history: HistoryEvent[],
  stop: AbortSignal,
) {
  const client = new Client(endpoint, { transport, silenceMs: 1000, tries: 1000 });
  let asked = 0;
  async function askInTurn() {
    while (!stop.aborted) {
      asked += 1;
      const request = `${name}-${asked}`;
      history.push({ event: "asked", request, client: name });
      const outcome = await ask(client, [String(random.whole(0, 50)), request]);
      history.push({ event: "ended", request, client: name, outcome });
    }
  }
  await Promise.all(Array.from({ length: 8 }, askInTurn));
  client.close();
}

async function ask(client: Client, body: string[]): Promise<Outcome> {
  try {
    const [, request] = await client.request("slow", body);
    return { answers: String(request) };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return error instanceof Refused ? { refused: error.message } : { unknown: error.message };
  }
}

/** What a worker did, by its log. */
function executions({ log, pid }: Program): HistoryEvent[] {
  const worker = String(pid);
  return log.flatMap(({ event, id, request }): HistoryEvent[] => {
    if (event === "slow.began") {
      return [{ event: "began", worker, id: String(id), request: String(request) }];
    }
    return event === "slow.finished" ? [{ event: "finished", worker, id: String(id) }] : [];
  });
}
