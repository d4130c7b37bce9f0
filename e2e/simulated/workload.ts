// The requests of a run. Each comes from a random running client; some come in bursts. Some repeat
// the id of a call that may be open or ended.

import { leaseMs } from "../../protocol/heartbeat.ts";
import { type AnyCall, SimulatedClient } from "./client.ts";
import type { AnyClient, Population } from "./population.ts";
import { drawForm, drawHow, type Task } from "./task.ts";
import type { World } from "./world.ts";

export class Workload {
  #world: World;
  #population: Population;
  #asked = 0;
  #calls: AnyCall[] = []; // The most recent calls.

  constructor(world: World, population: Population) {
    this.#world = world;
    this.#population = population;
  }

  /** Returns the longest request timeout, in ms. */
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

  askBy(peer: AnyClient) {
    const { random, configuration } = this.#world;
    const { services, oddities, workMs, limits } = configuration;
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
    const how = drawHow(random, oddities, workMs);
    const form = drawForm(random, oddities, limits.messageBytesMax);
    const task = { name, service, how, ...form, padding, timeoutMs };
    const call = peer.ask(task);
    if (call) this.#calls.push(call);
    if (this.#calls.length > CALLS_MAX) this.#calls.shift();
  }

  /** Returns a request that must succeed once all faults are healed. */
  quiescenceTask(client: string, service: string, how: number): Task {
    const form = { parts: this.#world.random.whole(1, 2), partPadding: 0, padding: 0 };
    return { name: this.#name(client), service, how, ...form, timeoutMs: QUIESCENCE_TIMEOUT_MS };
  }

  #askOne() {
    const running = this.#population.clients.filter(({ process }) => process.running);
    if (running.length > 0) this.askBy(this.#world.random.pick(running).peer);
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
const QUIESCENCE_TIMEOUT_MS = 60_000;
const CALLS_MAX = 20;
