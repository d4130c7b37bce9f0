// What must hold once all is well again: everybody is back, nothing is left, every place is free,
// and from here on nothing costs anything.

import { leaseMs } from "../../protocol/heartbeat.ts";
import type { HistoryEvent } from "../history.ts";
import { SimulatedClient } from "./client.ts";
import type { Population } from "./population.ts";
import { type Invariant, Violation } from "./violation.ts";
import { SimulatedWorker } from "./worker.ts";
import type { Workload } from "./workload.ts";
import type { World } from "./world.ts";

export class Calm {
  #world: World;
  #population: Population;
  #workload: Workload;

  constructor(world: World, population: Population, workload: Workload) {
    this.#world = world;
    this.#population = population;
    this.#workload = workload;
  }

  /** Throws a Violation if it is not so. Returns how long it took until all were back, in ms. */
  check(): number {
    const { random, clock } = this.#world;
    const healedAt = clock.now;
    clock.run(clock.now + SETTLE_MS); // The last connections to break are found to be broken.
    this.#reachRegistered();
    const recoveryMs = clock.now - healedAt;
    this.#emptySockets();
    const leftMs = Math.max(this.#longestMs, EMPTY_MS + 1000);
    this.#reach("L3", "requests are left", leftMs, () => this.#idle());
    this.#reachRegistered(); // Once more: a plain worker that hung may have been purged since.
    this.#checkClients();
    this.#checkCredits();
    random.pick([
      () => this.#checkLeaving(),
      () => this.#checkReset(),
      () => this.#checkBroker((service) => this.#checkKilled(service)),
      () => this.#checkBroker((service) => this.#checkStopped(service)),
    ])();
    this.#checkRest();
    return recoveryMs;
  }

  /** What waited for a connection in a client's socket comes before this, and may fill a queue. */
  #emptySockets() {
    for (const { peer } of this.#population.clients) {
      const task = this.#workload.calmTask(peer.process.name, this.#anyService, 1);
      peer.ask({ ...task, timeoutMs: EMPTY_MS });
    }
  }

  /** Every client gets a reply, and soon. */
  #checkClients() {
    for (const { peer } of this.#population.clients) {
      this.#answered(1, () =>
        peer.ask(this.#workload.calmTask(peer.process.name, this.#anyService, 1)),
      );
    }
  }

  /** As many requests as all workers together take are in flight at once. */
  #checkCredits() {
    const { limits, services } = this.#world.configuration;
    for (const { name } of services) {
      const places = this.#population.broker.peer.witness.placesOf(name);
      const most = Math.min(places, limits.queueMax, Math.floor(limits.queueBytesMax / BYTES));
      this.#answered(1, () => {
        this.#askAtOnce(most, name);
        const isSo = () => this.#counts.queued === 0 && this.#counts.inFlight === most;
        this.#reach("L3", `${most} requests are not in flight at once`, this.#workMs, isSo);
      });
    }
  }

  /** A worker that leaves in order finishes what it has, and nothing is done over again. */
  #checkLeaving() {
    const { random, clock, sightings, configuration } = this.#world;
    const { broker, workers } = this.#population;
    const real = workers.filter(({ peer }) => peer instanceof SimulatedWorker);
    const { peer } = random.pick(real.length > 0 ? real : workers);
    const before = broker.peer.witness.left;
    // A plain worker closes its socket at once, and its last words may be lost.
    this.#answered(real.length > 0 ? 1 : 2, () => {
      this.#askAtOnce(Math.min(4, configuration.limits.queueMax), peer.service);
      clock.run(clock.now + this.#workMs / 2);
      peer.leave();
    });
    this.#reachRegistered();
    if (broker.peer.witness.left > before)
      sightings.see("a worker left with nothing to do over again");
    else if (real.length > 0)
      throw new Violation("L4", `${peer.process.name} did not say DISCONNECT`);
  }

  /** A client whose connection breaks asks again, and nothing is done over again. */
  #checkReset() {
    const { clock, network } = this.#world;
    const client = this.#realClient;
    const executions = this.#world.configuration.limits.outcomesMax > 0 ? 1 : 2;
    this.#answered(executions, () => {
      this.#askAtOnce(2, this.#anyService);
      clock.run(clock.now + this.#workMs / 2);
      for (const connection of network.connections(client.process)) connection.reset();
    });
  }

  /**
   * A broker that ends takes nothing along that its clients cannot ask the next one for. Plain
   * workers may throw a new conversation away, and clients of little patience give up.
   */
  #checkBroker(check: (service: string) => void) {
    const { services, silenceMs, tries } = this.#world.configuration;
    const service = services.find(({ plainWorkers }) => plainWorkers === 0);
    if (!service || silenceMs * tries < PATIENCE_MS) return this.#checkReset();
    check(service.name);
    this.#reachRegistered();
  }

  #checkKilled(service: string) {
    const { clock } = this.#world;
    const { broker } = this.#population;
    this.#answered(2, () => {
      this.#askAtOnce(2, service);
      clock.run(clock.now + this.#workMs / 2);
      broker.peer.kill(0);
      broker.restart();
    });
  }

  /** It finishes what it can in time, one request after the other if need be. */
  #checkStopped(service: string) {
    const { clock, configuration } = this.#world;
    const { broker } = this.#population;
    const { drainMs } = configuration.limits;
    const stopped = broker.process;
    this.#answered(drainMs > 3 * this.#workMs ? 1 : 2, () => {
      this.#askAtOnce(2, service);
      clock.run(clock.now + this.#workMs / 2);
      broker.peer.stop();
      const isSo = () => !stopped.alive;
      this.#reach("L4", "the broker has not ended", drainMs + STOP_SLACK_MS, isSo);
    });
  }

  /** All that is asked meanwhile is answered, having been begun so many times at most. */
  #answered(executions: number, meanwhile: () => void) {
    const { history } = this.#world;
    const before = history.length;
    meanwhile();
    this.#reach("L3", "requests are left", ANSWERED_MS, () => this.#idle());
    const events = history.slice(before);
    for (const event of events) {
      if (event.event === "ended" && !("answers" in event.outcome))
        throw new Violation("L3", `${event.request} was not answered, though all is well`);
      if (event.event !== "asked") continue;
      // What was asked plainly is not known for the same when it is asked as a call.
      const times = executions + this.#timesAskedPlainly(event.request);
      if (begun(event.request, events) > times)
        throw new Violation("L4", `${event.request} was done over again`);
    }
  }

  #timesAskedPlainly(name: string): number {
    const real = this.#population.clients
      .map(({ peer }) => peer)
      .filter((peer) => peer instanceof SimulatedClient);
    return real.reduce((sum, peer) => sum + peer.timesAskedPlainly(name), 0);
  }

  #askAtOnce(count: number, service: string) {
    for (let nth = 0; nth < count; nth += 1) {
      const task = this.#workload.calmTask(this.#realClient.process.name, service, this.#workMs);
      this.#realClient.ask(task);
    }
  }

  #checkRest() {
    for (const { peer } of this.#population.clients)
      if (peer instanceof SimulatedClient) peer.checkStrays();
    const { configuration } = this.#world;
    const { length } = this.#population.workers;
    const leaseOverMs = 1.5 * leaseMs(configuration.heartbeat);
    this.#reach(
      "L1",
      "some are registered twice",
      leaseOverMs,
      () => this.#counts.workers === length,
    );
    const { services } = this.#counts;
    if (services !== configuration.services.length)
      throw new Violation("S6", `there are ${services} services, and nobody wants some of them`);
  }

  #reachRegistered() {
    const { broker, workers } = this.#population;
    const { network } = this.#world;
    this.#reach("L2", "not all workers are registered", this.#recoveryMs, () => {
      if (!broker.process.alive || this.#counts.workers !== workers.length) return false;
      const open = broker.peer.witness.registered.filter((address) => network.isOpen(address));
      const names = new Set(open.map((address) => network.nameOf(address)));
      return workers.every(({ process, peer }) => peer.ready && names.has(process.name));
    });
  }

  #idle(): boolean {
    const { broker, clients } = this.#population;
    if (clients.some(({ peer }) => peer.outstanding > 0)) return false;
    const { queued, inFlight } = this.#counts;
    return queued + inFlight === 0 && broker.peer.witness.held === 0;
  }

  /** Runs until it is so. If that takes longer than `withinMs`, it is a violation. */
  #reach(invariant: Invariant, otherwise: string, withinMs: number, isSo: () => boolean) {
    const { clock } = this.#world;
    if (!clock.run(clock.now + withinMs, isSo))
      throw new Violation(invariant, `${otherwise} after ${Math.round(withinMs)} ms`);
  }

  get #counts() {
    return this.#population.broker.peer.counts();
  }

  get #anyService(): string {
    return this.#world.random.pick(this.#world.configuration.services).name;
  }

  get #realClient(): SimulatedClient {
    for (const { peer } of this.#population.clients)
      if (peer instanceof SimulatedClient) return peer;
    throw new Error("there is always one");
  }

  /** Less than a lease by far, since a plain worker is silent at work. */
  get #workMs(): number {
    return Math.round(0.3 * leaseMs(this.#world.configuration.heartbeat));
  }

  /**
   * To find out that the broker forgot it, and twice the longest wait to connect again. Services
   * that clients have asked for in vain may leave no room for it until those requests expire.
   */
  get #recoveryMs(): number {
    const { heartbeat, limits } = this.#world.configuration;
    return 2 * leaseMs(heartbeat) + 12_000 + limits.requestTtlMs;
  }

  /** Until the longest request is over, and the longest handler. */
  get #longestMs(): number {
    return this.#workload.longestMs + 2 * this.#world.configuration.timeLimitMs + 5000;
  }
}

function begun(name: string, events: HistoryEvent[]): number {
  return events.filter((event) => event.event === "began" && event.request === name).length;
}

/** More than it costs to keep a request of ours and its reply. */
const BYTES = 2000;

/** Longer than any message takes. */
const SETTLE_MS = 50;

/** The longest wait to connect, and as much again. A plain client that is refused is told nothing. */
const EMPTY_MS = 10_000;

/** A client that was told to come back waits up to 5 s, and so does one that lost its broker. */
const ANSWERED_MS = 20_000;

/** How long a client must bear a silent broker, to find the next one for sure. */
const PATIENCE_MS = 4000;

/** Besides the drain: what is said last, and the ticks. */
const STOP_SLACK_MS = 500;
