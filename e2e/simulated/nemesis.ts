// The nemesis: from time to time it injects one of the run's faults into a random process.

import { leaseMs } from "../../protocol/heartbeat.ts";
import { BROKER_KINDS } from "./broker-kind.ts";
import type { Fault } from "./fault.ts";
import { Intruder } from "./intruder.ts";
import type { Direction } from "./network.ts";
import type { Peer, Place, Population } from "./population.ts";
import type { Workload } from "./workload.ts";
import type { World } from "./world.ts";

export class Nemesis {
  readonly done = new Map<Fault, number>();
  #world: World;
  #population: Population;
  #workload: Workload;
  #intruders: Intruder[] = [];
  #intrudersSoFar = 0;
  #resting = true;

  constructor(world: World, population: Population, workload: Workload) {
    this.#world = world;
    this.#population = population;
    this.#workload = workload;
  }

  start() {
    this.#resting = false;
    if (this.#world.configuration.faults.length > 0) this.#goOn();
  }

  /** Ends every fault and injects no more. */
  heal() {
    const { network, random, trace } = this.#world;
    this.#resting = true;
    trace.event(() => "all faults are healed");
    for (const { process } of this.#intruders) network.end(process, { kept: 0 });
    for (const place of this.#population.everybody) {
      network.heal(place.process);
      place.process.thaw({ timersFirst: random.chance(0.5) });
      place.restart();
    }
    network.takeAll();
  }

  #goOn() {
    const { clock, random, configuration } = this.#world;
    clock.after(random.around(configuration.faultEveryMs), () => {
      if (this.#resting) return;
      const fault = random.pick(configuration.faults);
      if (this.#do(fault)) this.done.set(fault, (this.done.get(fault) ?? 0) + 1);
      this.#goOn();
    });
  }

  /** Returns whether the fault could be injected. */
  #do(fault: Fault): boolean {
    const { broker, workers, clients } = this.#population;
    switch (fault) {
      case "worker killed":
        return this.#kill(this.#pick(workers));
      case "worker frozen":
        return this.#freeze(this.#pick(workers));
      case "worker left":
        return this.#leave();
      case "client killed":
        return this.#kill(this.#pick(clients));
      case "client frozen":
        return this.#freeze(this.#pick(clients));
      case "broker killed":
        return this.#kill(this.#pick([broker]));
      case "broker replaced":
        return this.#replace();
      case "broker frozen":
        return this.#freeze(this.#pick([broker]));
      case "broker stopped":
        return this.#stop();
      case "link cut":
        return this.#cut(["up", "down"]);
      case "link cut one way":
        return this.#cut([this.#world.random.pick(["up", "down"] as const)]);
      case "newcomer without replies":
        return this.#newcomerWithoutReplies();
      case "connection reset":
        return this.#reset();
      case "clock jumped":
        return this.#jump();
      case "intruder came":
        return this.#intrude();
      case "burst":
        this.#workload.ask(BURST);
        return true;
    }
  }

  #kill(place: Place | null): boolean {
    if (!place) return false;
    const { random, trace } = this.#world;
    trace.event(() => `${place.process.name} is killed`);
    place.peer.kill(random.chance(0.5) ? Number.POSITIVE_INFINITY : random.whole(0, 3));
    place.restartAfter(random.around(this.#leaseMs / 2));
    return true;
  }

  #replace(): boolean {
    const { random, trace, sightings } = this.#world;
    const kind = random.pick(BROKER_KINDS);
    const isReplaced = this.#kill(this.#pick([this.#population.broker]));
    if (!isReplaced) return false;
    trace.event(() => `the next broker is of the kind ${kind}`);
    this.#world.brokerKind = kind;
    if (kind !== "newest") sightings.see(`a broker of the kind "${kind}" was behind the address`);
    return true;
  }

  /** Freezes the process with its transport, as SIGSTOP does, or only its event loop. */
  #freeze(place: Place | null): boolean {
    if (!place) return false;
    const { clock, random, network, trace } = this.#world;
    const { process } = place;
    const ms = random.pick([0.1, 0.5, 1, 2, 4]) * random.between(0.5, 1.5) * this.#leaseMs;
    trace.event(() => `${process.name} freezes for ${Math.round(ms)} ms`);
    process.freeze();
    if (random.chance(0.6)) network.stopped(process);
    clock.after(ms, () => {
      if (process.frozenAt === null) return;
      trace.event(() => `${process.name} thaws`);
      process.thaw({ timersFirst: random.chance(0.5) });
    });
    return true;
  }

  #leave(): boolean {
    const place = this.#pick(this.#population.workers);
    if (!place) return false;
    this.#world.trace.event(() => `${place.process.name} gets SIGTERM`);
    place.peer.leave();
    return true;
  }

  #stop(): boolean {
    const place = this.#pick([this.#population.broker]);
    place?.peer.stop();
    return place !== null;
  }

  #cut(directions: Direction[]): boolean {
    const { clock, random, network, trace } = this.#world;
    const { broker, workers, clients } = this.#population;
    const all: Place[] = [...workers, ...clients];
    const places = random.chance(0.2) ? all : [this.#pick(all)].filter((place) => place !== null);
    const processes = places.map(({ process }) => process).filter(({ running }) => running);
    if (processes.length === 0 || !broker.process.alive) return false;
    const ms = random.pick([0.1, 0.5, 1, 3]) * random.between(0.5, 1.5) * this.#leaseMs;
    for (const process of processes) {
      trace.event(
        () => `${process.name} is cut off, ${directions.join(" and ")}, for ${Math.round(ms)} ms`,
      );
      network.cut(process, directions);
    }
    clock.after(ms, () => {
      for (const process of processes) {
        trace.event(() => `the link of ${process.name} is restored`);
        network.heal(process);
      }
    });
    return true;
  }

  /** Its capability probes and its READY get no reply for a while. */
  #newcomerWithoutReplies(): boolean {
    const { clock, random, network, trace, configuration } = this.#world;
    const { workers, clients } = this.#population;
    const [client, worker] = [this.#pick(clients), this.#pick(workers)];
    const place = random.chance(0.5) ? client : worker;
    if (!place) return false;
    place.peer.kill(0);
    place.restart();
    const { process } = place;
    trace.event(() => `${process.name} receives nothing for a while`);
    network.blockInbound(process);
    if (client && place === client) this.#workload.askBy(client.peer);
    const [least, most] = place === client ? [configuration.silenceMs / 2, 2] : [this.#leaseMs, 4];
    clock.after(least * random.between(1, most), () => network.heal(process));
    return true;
  }

  #reset(): boolean {
    const { random, network, trace } = this.#world;
    const connections = network.connections();
    if (connections.length === 0) return false;
    const connection = random.pick(connections);
    trace.event(() => `the connection of ${connection.peer.process.name} is reset`);
    connection.reset();
    return true;
  }

  #jump(): boolean {
    const { random, trace } = this.#world;
    const place = this.#pick(this.#population.everybody);
    const ms = random.pick([0.1, 1, 3]) * random.between(0.5, 1.5) * this.#leaseMs;
    trace.event(() => `the clock of ${place?.process.name} jumps by ${Math.round(ms)} ms`);
    place?.process.jump(ms);
    return place !== null;
  }

  #intrude(): boolean {
    const { clock, random, network, trace } = this.#world;
    this.#intrudersSoFar += 1;
    const name = `x${this.#intrudersSoFar}`;
    trace.event(() => `${name}, an intruder, starts`);
    const intruder = new Intruder(this.#world, name, this.#leaseMs / 8);
    this.#intruders.push(intruder);
    clock.after(random.around(2 * this.#leaseMs), () => network.end(intruder.process, { kept: 2 }));
    return true;
  }

  /** Returns a random running process, or null. */
  #pick<Some extends Peer>(places: Place<Some>[]): Place<Some> | null {
    const running = places.filter(({ process }) => process.running);
    return running.length > 0 ? this.#world.random.pick(running) : null;
  }

  get #leaseMs(): number {
    return leaseMs(this.#world.configuration.heartbeat);
  }
}

const BURST = 20;
