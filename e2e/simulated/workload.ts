// What is asked: so many requests, each by some client that runs, now and then many at once, and
// now and then one once more under the id of a call that may be open or have ended.

import { leaseMs } from "../../protocol/heartbeat.ts";
import { type AnyCall, SimulatedClient } from "./client.ts";
import type { Population } from "./population.ts";
import { drawHow, type Task } from "./task.ts";
import type { World } from "./world.ts";

export class Workload {
  #world: World;
  #population: Population;
  #asked = 0;
  #calls: AnyCall[] = []; // The last few.

  constructor(world: World, population: Population) {
    this.#world = world;
    this.#population = population;
  }

  /** How long the longest request may be open. */
  get longestMs(): number {
    return TIMEOUT_MOST * this.#scaleMs;
  }

  start() {
    const { clock, random, configuration } = this.#world;
    const { requests, durationMs, bursts } = configuration;
    for (let asked = 0; asked < requests; ) {
      const together = bursts ? random.whole(1, 30) : 1;
      clock.at(random.between(0, durationMs), () => this.ask(together));
      asked += together;
    }
  }

  ask(together: number) {
    for (let nth = 0; nth < together; nth += 1) this.#askOne();
  }

  /** A request that nothing stands in the way of. */
  calmTask(client: string, service: string, how: number): Task {
    return { name: this.#name(client), service, how, padding: 0, timeoutMs: CALM_TIMEOUT_MS };
  }

  #askOne() {
    const { random, configuration } = this.#world;
    const { services, oddities, workMs, limits } = configuration;
    const running = this.#population.clients.filter(({ process }) => process.running);
    if (running.length === 0) return;
    const { peer } = random.pick(running);
    const name = this.#name(peer.process.name);
    const timeoutMs = this.#scaleMs * random.between(0.5, TIMEOUT_MOST);
    if (
      peer instanceof SimulatedClient &&
      this.#calls.length > 0 &&
      random.chance(oddities.askedAgain)
    ) {
      const call = random.pick(this.#calls);
      peer.ask({ ...call.task, name, timeoutMs }, call);
      return;
    }
    const { name: service } = random.pick(services);
    const padding = random.chance(0.1) ? random.whole(0, limits.messageBytesMax / 2) : 0;
    const task = { name, service, how: drawHow(random, oddities, workMs), padding, timeoutMs };
    const call = peer.ask(task);
    if (call) this.#calls.push(call);
    if (this.#calls.length > CALLS_MAX) this.#calls.shift();
  }

  #name(client: string): string {
    this.#asked += 1;
    return `${client}-${this.#asked}`;
  }

  get #scaleMs(): number {
    return Math.max(leaseMs(this.#world.configuration.heartbeat), 1000);
  }
}

const TIMEOUT_MOST = 6;
const CALM_TIMEOUT_MS = 60_000;
const CALLS_MAX = 20;
