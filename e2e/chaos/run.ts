// One run: traffic and a storm, then heal, drain and check.

import { availableParallelism, totalmem } from "node:os";
import { engine } from "../containers/engine.ts";
import type { Fault } from "../containers/nemesis.ts";
import type { Stack } from "../containers/stack.ts";
import { judge } from "../history.ts";
import type { Facts } from "./facts.ts";
import { ended, finalCounts, workersBack } from "./inquiry.ts";
import { everybody } from "./population.ts";
import { showProgress } from "./progress.ts";
import { brokerRecoveries, type Happened, purges, workerRecoveries } from "./recovery.ts";
import { type Kind, schedule, type Target } from "./schedule.ts";
import type { Settings } from "./settings.ts";
import { Storm } from "./storm.ts";
import { Traffic } from "./traffic.ts";
import { Witness } from "./witness.ts";

/** How long workers may take to be back, and the broker's account to be settled. */
const SETTLED_MS = 30_000;

export class Run {
  readonly witness: Witness;
  #stack: Stack;
  #settings: Settings;
  #leftOut: Kind[];
  #storm: Storm;
  #traffic: Traffic;
  #startedAt = Date.now();
  #phase = "";

  /** Begins to ask. */
  constructor(stack: Stack, settings: Settings, leftOut: Kind[]) {
    const planned = schedule(settings.seed, settings.durationMs);
    this.#stack = stack;
    this.#settings = settings;
    this.#leftOut = leftOut;
    this.witness = new Witness(stack);
    this.#storm = new Storm(
      stack,
      planned.filter(({ kind }) => !leftOut.includes(kind)),
    );
    this.#traffic = new Traffic(stack);
  }

  /** All its phases; told to stop, the storm is over at once. */
  async finish(stop: AbortSignal): Promise<Facts> {
    const { durationMs } = this.#settings;
    const hideProgress = showProgress(() => this.#moment(), durationMs / 1000);
    await this.#storm.rage(durationMs, stop);
    const interrupted = stop.aborted;
    this.#phase = "healing";
    const back = await workersBack(this.#stack, SETTLED_MS);
    const healedAt = Date.now();
    this.#phase = "draining";
    await this.#traffic.drain();
    const endedAt = Date.now();
    this.#phase = "checking";
    const counts = await finalCounts(this.#stack, SETTLED_MS);
    hideProgress();
    const found = await this.#found();
    const troubles = [...this.#storm.troubles, ...(await ended(this.#stack))];
    return {
      ...found,
      interrupted,
      healedAt,
      endedAt,
      workers: { back, of: everybody.length },
      counts,
      troubles,
    };
  }

  #moment() {
    const { requests } = this.#traffic;
    return {
      phase: this.#phase,
      seconds: (Date.now() - this.#startedAt) / 1000,
      faults: this.#storm.faults.length,
      answered: requests.count("answered"),
      redelivered: this.witness.redelivered,
      lost: requests.count("lost"),
    };
  }

  async #found() {
    const { executions, executedAgain, redelivered, sessions, workers } = this.witness;
    const { requests, examples, strays } = this.#traffic;
    const faults = this.#storm.faults.map(happened);
    return {
      ...this.#settings,
      machine: await machine(),
      leftOut: this.#leftOut,
      startedAt: this.#startedAt,
      faults,
      requests,
      examples,
      strays,
      verdict: judge([...this.#stack.history, ...executions]),
      executedAgain,
      redelivered,
      purges: purges(faults, workers, sessions),
      workerRecoveries: workerRecoveries(faults, sessions),
      brokerRecoveries: brokerRecoveries(faults, sessions),
    };
  }
}

function happened({ kind, target, from, to }: Fault): Happened {
  const whom = target.startsWith("broker") ? "broker" : (target as Target);
  // The schedule has no other kinds.
  return { kind: kind as Kind, target: whom, from, to: to ?? Date.now() };
}

async function machine(): Promise<string> {
  const { Version } = await (await engine()).version();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const node = `Node ${process.version}`;
  return `${availableParallelism()} cores, ${gigabytes} GB, ${node}, Docker ${Version}`;
}
