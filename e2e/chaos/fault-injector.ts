// Injects the planned faults into the containers and heals all of them.

import { once, setMaxListeners } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { Container } from "../containers/container.ts";
import { Nemesis } from "../containers/nemesis.ts";
import type { Stack } from "../containers/stack.ts";
import { containerOf } from "./chaos-stack.ts";
import { type ChaosFaultKind, type PlannedFault, TARGETS, type Target } from "./fault-schedule.ts";

const LOST_SHARE = 0.2; // The share of dropped packets, in each direction.
const ENDING: ChaosFaultKind[] = ["killed", "terminated", "restarted"];
const EXIT_MS = 20_000; // The time limit for an exit after SIGTERM.

export class FaultInjector {
  /** Failed injections and bad exits, one sentence each. */
  readonly errors: string[] = [];
  readonly #nemesis: Nemesis;
  readonly #stack: Stack;
  readonly #planned: PlannedFault[];

  constructor(stack: Stack, planned: PlannedFault[]) {
    this.#stack = stack;
    this.#planned = planned;
    this.#nemesis = new Nemesis(stack.network);
  }

  get faults() {
    return this.#nemesis.faults;
  }

  /** Resolves after `durationMs`, or when `stop` aborts; all faults are healed then. */
  async run(durationMs: number, stop: AbortSignal) {
    setMaxListeners(0, stop);
    const start = performance.now();
    const targets = TARGETS.map((target) => this.#runFaults(target, start, stop));
    await Promise.all([...targets, wait(durationMs, stop)]);
  }

  /** Injects the faults of one target, one after the other. */
  async #runFaults(target: Target, start: number, stop: AbortSignal) {
    for (const { at, kind, forMs } of this.#planned.filter((one) => one.target === target)) {
      await wait(start + at - performance.now(), stop);
      if (stop.aborted) return;
      const container = containerOf(this.#stack, target);
      await this.#injectAndHeal(kind, container, forMs, stop).catch((error: Error) =>
        this.errors.push(`${target}, ${kind}: ${error.message.split("\n")[0]}`),
      );
    }
  }

  async #injectAndHeal(
    kind: ChaosFaultKind,
    container: Container,
    forMs: number,
    stop: AbortSignal,
  ) {
    const { inject, heal } = ACTIONS[kind];
    const before = container.log.length;
    await inject(this.#nemesis, container);
    await wait(forMs, stop);
    if (kind === "killed") await container.ended();
    if (kind === "terminated") await this.#checkExit(container);
    await heal(this.#nemesis, container);
    if (ENDING.includes(kind)) await hasStarted(container, before);
  }

  /** After SIGTERM a program must exit with code 0 within EXIT_MS. */
  async #checkExit(container: Container) {
    const late = once(AbortSignal.timeout(EXIT_MS), "abort").then(() => null);
    const code = await Promise.race([container.ended(), late]);
    if (code === 0) return;
    const how = code === null ? `did not exit within ${EXIT_MS} ms` : `exited with code ${code}`;
    this.errors.push(`${container.name} ${how} after SIGTERM`);
    if (code !== null) return;
    await (await container.handle()).kill({ signal: "SIGKILL" });
    await container.ended();
  }
}

type Action = (nemesis: Nemesis, container: Container) => Promise<unknown>;

const ACTIONS: Record<ChaosFaultKind, { inject: Action; heal: Action }> = {
  killed: { inject: (by, one) => by.kill(one), heal: (by, one) => by.revive(one) },
  terminated: { inject: (by, one) => by.terminate(one), heal: (by, one) => by.revive(one) },
  restarted: { inject: (by, one) => by.restart(one), heal: async () => {} },
  frozen: { inject: (by, one) => by.freeze(one), heal: (by, one) => by.thaw(one) },
  paused: { inject: (by, one) => by.pause(one), heal: (by, one) => by.unpause(one) },
  "cut off": { inject: (by, one) => by.disconnect(one), heal: (by, one) => by.connect(one) },
  "black-holed": {
    inject: (by, one) => by.blackHole(one),
    heal: (by, one) => by.restorePackets(one),
  },
  "losing packets": {
    inject: (by, one) => by.losePackets(one, LOST_SHARE),
    heal: (by, one) => by.restorePackets(one),
  },
};

/** Resolves when a new start has installed its signal handlers, so that SIGTERM may follow. */
async function hasStarted(container: Container, from: number) {
  const first = container.name.startsWith("broker") ? "broker.listening" : "worker.started";
  await container.logged(first, undefined, { from });
}

/** Waits for `ms`, or until `signal` aborts. */
async function wait(ms: number, signal: AbortSignal) {
  await setTimeout(Math.max(ms, 0), undefined, { signal }).catch(() => {});
}
