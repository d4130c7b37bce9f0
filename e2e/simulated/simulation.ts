// One run of the simulation, from its seed to its verdict: a warm-up, then faults, then healing.
// After that come the quiescence check and the verdict on the history.

import { Broker } from "../../broker/broker.ts";
import { type HistoryEvent, judge, type Verdict } from "../history.ts";
import { Clock } from "./clock.ts";
import { type Configuration, drawConfiguration } from "./configuration.ts";
import type { Fault } from "./fault.ts";
import { Nemesis } from "./nemesis.ts";
import { Network } from "./network.ts";
import { Population } from "./population.ts";
import { QuiescenceCheck } from "./quiescence.ts";
import { Random } from "./random.ts";
import { Sightings } from "./sometimes.ts";
import { Trace } from "./trace.ts";
import { Violation } from "./violation.ts";
import { Workload } from "./workload.ts";
import type { BrokerMaker, World } from "./world.ts";

export type Run = {
  seed: number;
  configuration: Configuration;
  verdict: Verdict;
  faults: Map<Fault, number>;
  sightings: Sightings;
  violation: string | null;
  trace: string[]; // Empty unless `traced`.
  simulatedMs: number;
  recoveryMs: number; // The ms from the last fault until all workers were registered.
};

export type RunOptions = {
  traced?: boolean;
  makeBroker?: BrokerMaker; // A wrong broker, to test that the simulation detects it.
};

export function simulate(seed: number, options: RunOptions = {}): Run {
  return new Simulation(seed, options).run();
}

class Simulation {
  #seed: number;
  #world: World;
  #population: Population;
  #nemesis: Nemesis;
  #workload: Workload;
  #recoveryMs = 0;

  constructor(seed: number, { traced = false, makeBroker = makeRealBroker }: RunOptions) {
    this.#seed = seed;
    const random = new Random(seed);
    const configuration = drawConfiguration(random);
    const clock = new Clock();
    const sightings = new Sightings();
    const network = new Network(clock, random, configuration.network, sightings);
    const trace = new Trace(clock, traced, (address) => network.nameOf(address));
    const history: HistoryEvent[] = [];
    const parts = { clock, random, network, trace, history, sightings, configuration, makeBroker };
    this.#world = { ...parts, brokerKind: "newest", ids: new Map(), overheard: [], healed: false };
    this.#population = new Population(this.#world);
    this.#workload = new Workload(this.#world, this.#population);
    this.#nemesis = new Nemesis(this.#world, this.#population, this.#workload);
  }

  run(): Run {
    const { history, trace, sightings, clock, configuration } = this.#world;
    const seen = this.#firstViolation();
    const executionsMax = 2 * configuration.limits.deliveriesMax - 1;
    const verdict = judge(history, { executionsMax, allFinished: true });
    const violation = seen ?? verdict.violations[0] ?? null;
    if (violation) trace.event(() => `VIOLATION ${violation}`);
    return {
      seed: this.#seed,
      configuration,
      verdict,
      faults: this.#nemesis.done,
      sightings,
      violation,
      trace: trace.lines,
      simulatedMs: clock.now,
      recoveryMs: this.#recoveryMs,
    };
  }

  /** Any other error is a violation too: no peer and no fault may make a program throw. */
  #firstViolation(): string | null {
    try {
      this.#live();
      return null;
    } catch (error) {
      if (error instanceof Violation) return error.message;
      return `a program threw ${error instanceof Error ? error.stack : error}`;
    }
  }

  #live() {
    const { clock, configuration } = this.#world;
    this.#workload.start();
    clock.after(configuration.durationMs / 10, () => this.#nemesis.start());
    clock.run(configuration.durationMs);
    this.#world.healed = true;
    this.#nemesis.heal();
    this.#recoveryMs = new QuiescenceCheck(this.#world, this.#population, this.#workload).check();
  }
}

const makeRealBroker: BrokerMaker = (...args) => new Broker(...args);
