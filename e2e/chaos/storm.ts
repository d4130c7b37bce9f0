// Does what the schedule says to the containers, and puts all of it right again.

import { once, setMaxListeners } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { Container } from "../containers/container.ts";
import { Nemesis } from "../containers/nemesis.ts";
import type { Stack } from "../containers/stack.ts";
import { containerOf } from "./population.ts";
import { type Kind, type Planned, TARGETS, type Target } from "./schedule.ts";

const LOST_SHARE = 0.2; // Of packets, in each direction.
const ENDS: Kind[] = ["killed", "terminated", "restarted"];
const END_MS = 20_000; // How long what was told to end may take.

export class Storm {
  readonly troubles: string[] = []; // What should not have happened, in sentences.
  readonly #nemesis: Nemesis;
  readonly #stack: Stack;
  readonly #planned: Planned[];

  constructor(stack: Stack, planned: Planned[]) {
    this.#stack = stack;
    this.#planned = planned;
    this.#nemesis = new Nemesis(stack.network);
  }

  get faults() {
    return this.#nemesis.faults;
  }

  /** Resolves when its time is over, or it was told to stop, and all is put right. */
  async rage(durationMs: number, stop: AbortSignal) {
    setMaxListeners(0, stop);
    const start = performance.now();
    const hits = TARGETS.map((target) => this.#hit(target, start, stop));
    await Promise.all([...hits, wait(durationMs, stop)]);
  }

  /** One fault after the other: the next begins when the one before is over. */
  async #hit(target: Target, start: number, stop: AbortSignal) {
    for (const { at, kind, forMs } of this.#planned.filter((one) => one.target === target)) {
      await wait(start + at - performance.now(), stop);
      if (stop.aborted) return;
      await this.#do(kind, containerOf(this.#stack, target), forMs, stop).catch((error: Error) =>
        this.troubles.push(`${target}, ${kind}: ${error.message.split("\n")[0]}`),
      );
    }
  }

  async #do(kind: Kind, container: Container, forMs: number, stop: AbortSignal) {
    const { strike, heal } = DEEDS[kind];
    const before = container.log.length;
    await strike(this.#nemesis, container);
    await wait(forMs, stop);
    if (kind === "killed") await container.ended();
    if (kind === "terminated") await this.#ended(container);
    await heal(this.#nemesis, container);
    if (ENDS.includes(kind)) await awake(container, before);
  }

  /** What was told to end does, and says that all went well. */
  async #ended(container: Container) {
    const late = once(AbortSignal.timeout(END_MS), "abort").then(() => null);
    const code = await Promise.race([container.ended(), late]);
    if (code === 0) return;
    const how = code === null ? `was there ${END_MS} ms later` : `ended with exit code ${code}`;
    this.troubles.push(`${container.name} was told to end and ${how}`);
    if (code !== null) return;
    await (await container.handle()).kill({ signal: "SIGKILL" });
    await container.ended();
  }
}

type Deed = (nemesis: Nemesis, container: Container) => Promise<unknown>;

const DEEDS: Record<Kind, { strike: Deed; heal: Deed }> = {
  killed: { strike: (by, one) => by.kill(one), heal: (by, one) => by.revive(one) },
  terminated: { strike: (by, one) => by.terminate(one), heal: (by, one) => by.revive(one) },
  restarted: { strike: (by, one) => by.restart(one), heal: async () => {} },
  frozen: { strike: (by, one) => by.freeze(one), heal: (by, one) => by.thaw(one) },
  paused: { strike: (by, one) => by.pause(one), heal: (by, one) => by.unpause(one) },
  "cut off": { strike: (by, one) => by.disconnect(one), heal: (by, one) => by.connect(one) },
  "black-holed": {
    strike: (by, one) => by.blackHole(one),
    heal: (by, one) => by.restorePackets(one),
  },
  "losing packets": {
    strike: (by, one) => by.losePackets(one, LOST_SHARE),
    heal: (by, one) => by.restorePackets(one),
  },
};

/** It has its signal handlers, and may be told to end again. */
async function awake(container: Container, from: number) {
  const first = container.name.startsWith("broker") ? "broker.listening" : "worker.started";
  await container.logged(first, undefined, { from });
}

/** Shorter if told to stop. */
async function wait(ms: number, signal: AbortSignal) {
  await setTimeout(Math.max(ms, 0), undefined, { signal }).catch(() => {});
}
