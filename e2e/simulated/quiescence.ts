// The quiescence check, after all faults are healed: every worker registers and no request stays
// open. Every slot gets used, and an orderly leave or a reset causes no repeated execution.

import { leaseMs } from "../../protocol/heartbeat.ts";
import { PROBE_MS } from "../../workers/ready-choice.ts";
import type { HistoryEvent } from "../history.ts";
import { SimulatedClient } from "./client.ts";
import type { Population } from "./population.ts";
import { type Invariant, Violation } from "./violation.ts";
import { SimulatedWorker } from "./worker.ts";
import type { Workload } from "./workload.ts";
import type { World } from "./world.ts";

export class QuiescenceCheck {
  #world: World;
  #population: Population;
  #workload: Workload;

  constructor(world: World, population: Population, workload: Workload) {
    this.#world = world;
    this.#population = population;
    this.#workload = workload;
  }

  /**
   * Throws a Violation if a check fails. Returns the ms until all workers were registered again.
   */
  check(): number {
    const { random, clock } = this.#world;
    const healedAt = clock.now;
    clock.run(clock.now + SETTLE_MS); // Lets both sides notice the last broken connections.
    this.#reachRegistered();
    const recoveryMs = clock.now - healedAt;
    this.#emptySockets();
    const leftMs = Math.max(this.#longestMs, EMPTY_MS + 1000);
    this.#reach("L3", "requests stay open", leftMs, () => this.#idle());
    // Again: the broker may meanwhile have removed a plain worker that hung.
    this.#reachRegistered();
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

  /** Requests that waited in a client's socket are delivered first; they may fill a queue. */
  #emptySockets() {
    for (const { peer } of this.#population.clients) {
      const task = this.#workload.quiescenceTask(peer.process.name, this.#anyService, 1);
      peer.ask({ ...task, timeoutMs: EMPTY_MS });
    }
  }

  /** Every client gets a reply in time. */
  #checkClients() {
    for (const { peer } of this.#population.clients) {
      this.#answered(1, () =>
        peer.ask(this.#workload.quiescenceTask(peer.process.name, this.#anyService, 1)),
      );
    }
  }

  /** The broker delivers as many requests at once as all workers together have credit for. */
  #checkCredits() {
    const { limits, services, heartbeat } = this.#world.configuration;
    const { clock } = this.#world;
    clock.run(clock.now + leaseMs(heartbeat) + TICK_MS); // No worker is a newcomer after a lease.
    for (const { name } of services) {
      const places = this.#population.broker.peer.oracle.placesOf(name);
      const most = Math.min(places, limits.queueMax, Math.floor(limits.queueBytesMax / BYTES));
      this.#answered(1, () => {
        this.#askAtOnce(most, name);
        const isSo = () => this.#counts.queued === 0 && this.#counts.inFlight === most;
        this.#reach("L3", `${most} requests are not in flight at once`, this.#workMs, isSo);
      });
    }
  }

  /** A worker that leaves in order finishes its requests, and none is executed again. */
  #checkLeaving() {
    const { random, clock, sightings, configuration } = this.#world;
    const { broker, workers } = this.#population;
    const real = workers.filter(({ peer }) => peer instanceof SimulatedWorker);
    const { peer } = random.pick(real.length > 0 ? real : workers);
    const before = broker.peer.oracle.left;
    // A plain worker closes its socket at once, so its last messages may get lost.
    this.#answered(real.length > 0 ? 1 : 2, () => {
      this.#askAtOnce(Math.min(4, configuration.limits.queueMax), peer.service);
      clock.run(clock.now + this.#workMs / 2);
      peer.leave();
      this.#reachRegistered();
    });
    if (broker.peer.oracle.left > before)
      sightings.see("a worker left and no request was executed again");
    else if (real.length > 0)
      throw new Violation("L4", `${peer.process.name} left without DISCONNECT`);
  }

  /** A client whose connection breaks asks again, and no request is executed again. */
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
   * After a broker ends, its clients get every outcome from the next broker. The check skips plain
   * workers, which may discard a new conversation, and clients whose tries end too early.
   */
  #checkBroker(check: (service: string) => void) {
    const { services, silenceMs, tries } = this.#world.configuration;
    const service = services.find(({ plainWorkers }) => plainWorkers === 0);
    if (!service || silenceMs * tries < PATIENCE_MS) return this.#checkReset();
    check(service.name);
  }

  #checkKilled(service: string) {
    const { clock } = this.#world;
    const { broker } = this.#population;
    this.#answered(2, () => {
      this.#askAtOnce(2, service);
      clock.run(clock.now + this.#workMs / 2);
      broker.peer.kill(0);
      broker.restart();
      this.#reachRegistered();
    });
  }

  /** A draining broker finishes the requests that it can, one after the other if necessary. */
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
      this.#reachRegistered();
    });
  }

  /** Every request sent by `meanwhile` gets a reply after at most so many executions. */
  #answered(executions: number, meanwhile: () => void) {
    const { history } = this.#world;
    const before = history.length;
    meanwhile();
    this.#reach("L3", "requests stay open", ANSWERED_MS, () => this.#idle());
    const events = history.slice(before);
    for (const event of events) {
      if (event.event === "ended" && !("answers" in event.outcome))
        throw new Violation("L3", `${event.request} got no reply, though all faults are healed`);
      if (event.event !== "asked") continue;
      // The broker cannot recognise a call that the client first sent as a plain request.
      const times = executions + this.#timesAskedPlainly(event.request);
      if (begun(event.request, events) > times)
        throw new Violation("L4", `${event.request} was executed again`);
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
      const task = this.#workload.quiescenceTask(
        this.#realClient.process.name,
        service,
        this.#workMs,
      );
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
      "a worker is registered twice",
      leaseOverMs,
      () => this.#counts.workers === length,
    );
    const { services } = this.#counts;
    if (services !== configuration.services.length)
      throw new Violation(
        "S6",
        `the broker has ${services} services, some without a worker or request`,
      );
  }

  #reachRegistered() {
    const { broker, workers } = this.#population;
    const { network } = this.#world;
    this.#reach("L2", "not all workers are registered", this.#recoveryMs, () => {
      if (!broker.process.alive || this.#counts.workers !== workers.length) return false;
      const open = broker.peer.oracle.registered.filter((address) => network.isOpen(address));
      const names = new Set(open.map((address) => network.nameOf(address)));
      return workers.every(({ process, peer }) => peer.ready && names.has(process.name));
    });
  }

  #idle(): boolean {
    const { broker, clients } = this.#population;
    if (clients.some(({ peer }) => peer.outstanding > 0)) return false;
    const { queued, inFlight } = this.#counts;
    return queued + inFlight === 0 && broker.peer.oracle.held === 0;
  }

  /** Runs until `isSo` returns true; throws a Violation after `withinMs`. */
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
    throw new Error("the simulation has no real client");
  }

  /** Far below a lease: a plain worker sends nothing while it works. */
  get #workMs(): number {
    return Math.round(0.3 * leaseMs(this.#world.configuration.heartbeat));
  }

  /**
   * The time to find out that the broker forgot the worker, to try each form of READY, and twice the
   * longest backoff. Until they expire, requests for services without workers may also take the
   * place of its service.
   */
  get #recoveryMs(): number {
    const { heartbeat, limits } = this.#world.configuration;
    const leaseOverMs = leaseMs(heartbeat);
    const formsMs = 2 * (Math.max(PROBE_MS, leaseOverMs) + leaseOverMs) + leaseOverMs;
    return 2 * leaseOverMs + formsMs + 12_000 + limits.requestTtlMs;
  }

  /** The longest request timeout plus the longest handler, in ms. */
  get #longestMs(): number {
    return this.#workload.longestMs + 2 * this.#world.configuration.timeLimitMs + 5000;
  }
}

function begun(name: string, events: HistoryEvent[]): number {
  return events.filter((event) => event.event === "began" && event.request === name).length;
}

/** An upper bound of the bytes that a request and its reply cost here. */
const BYTES = 2000;

/** In ms; the longest time between two ticks of the broker. */
const TICK_MS = 100;

/** In ms; longer than any message delay. */
const SETTLE_MS = 50;

/** In ms; twice the longest backoff. A plain client gets no refusal and times out. */
const EMPTY_MS = 10_000;

/** In ms; a client waits up to 5 s after a 503 and after losing its broker. */
const ANSWERED_MS = 20_000;

/** In ms; a client must try for so long to reach the next broker. */
const PATIENCE_MS = 4000;

/** In ms, after the drain: the last messages and ticks. */
const STOP_SLACK_MS = 500;
