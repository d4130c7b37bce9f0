// One service at full load: the real broker, with simulated workers and clients and without a network. It
// counts the answers, relative to those that the healthy workers had time for.

import { Broker } from "../../../broker/broker.ts";
import { brokerSettings } from "../../../broker/broker-options.ts";
import type { Effect } from "../../../broker/effects.ts";
import { CALL, decodeStatus, encodeCall, STATUS } from "../../../protocol/call.ts";
import { MDP_0_1 } from "../../../protocol/dialects.ts";
import type { Frame } from "../../../protocol/frame.ts";
import { DEFAULT_HEARTBEAT, tickMs } from "../../../protocol/heartbeat.ts";
import { type Command, decode, encode } from "../../../protocol/mdp.ts";
import { Clock } from "../clock.ts";
import { Random } from "../random.ts";

/** A worker, and each process that replaces it. */
export type WorkerPlan = {
  credit: number;
  /** The name in its READY, the same after each restart; null for none. */
  name: string | null;
  /** It dies of itself so many ms after each start. Infinity: it is healthy. */
  lifeMs: number;
  /** So many ms after a death its next process starts. Infinity: none does. */
  restartMs: number;
};

/**
 * The request's effect on its handler: it takes a while, is a long job, never ends, or kills its
 * worker. A `suspect` takes a while too; `killWorkersOf` kills the workers of that kind.
 */
export type Kind = "work" | "suspect" | "long" | "hang" | "poison";

/** The figures of one run. */
export type Figures = {
  /** The answers, relative to those that the slots of the healthy workers had time for. */
  relative: number;
  /** Requests that kill no worker, and that the broker quarantined, or that expired. */
  innocents: number;
  expired: number;
  /** Poison messages, and those of them that the broker quarantined. */
  poison: number;
  quarantined: number;
};

type Process = { plan: WorkerPlan; address: string; stuck: number };

/** A simulated service, from its seed. */
export class SimulatedService {
  readonly clock = new Clock();
  #random: Random;
  #workMs: number;
  #broker: Broker;
  #processes = new Map<string, Process>(); // By address; those that live.
  #kinds = new Map<string, Kind>(); // Of open requests, by id.
  #victims: Kind | null = null; // The next workers to begin a request of this kind die.
  #victimsLeft = 0;
  #started = 0;
  #asked = 0;
  #possible = 0; // The answers that the healthy workers had time for.
  #countedAt = 0;
  #answered = 0;
  #ended = { innocents: 0, expired: 0, poison: 0, quarantined: 0 };

  /** `workMs` is the mean time of a handler. Times are exponentially distributed. */
  constructor(seed: number, workMs: number) {
    this.#random = new Random(seed);
    this.#workMs = workMs;
    const { now } = this.clock;
    this.#broker = new Broker(LIMITS, DEFAULT_HEARTBEAT, this.#random.bytes(8), now);
    this.#broker.detectsDisconnects();
    this.#every(tickMs(DEFAULT_HEARTBEAT), () => {
      this.#perform(this.#broker.tick(this.clock.now));
      return true;
    });
  }

  /** Starts a worker. */
  start(plan: WorkerPlan) {
    this.#countPossible();
    this.#started += 1;
    const process = { plan, address: `w${this.#started}`, stuck: 0 };
    this.#processes.set(process.address, process);
    const about = plan.name === null ? {} : { about: { name: plan.name, knows: NOTHING } };
    const ready = { header: "worker", dialect: MDP_0_1, name: "READY", service: SERVICE } as const;
    this.#receive(process.address, encode({ ...ready, credit: plan.credit, ...about }));
    this.#every(DEFAULT_HEARTBEAT.intervalMs, () => {
      if (this.#lives(process)) this.#receive(process.address, HEARTBEAT);
      return this.#lives(process);
    });
    if (plan.lifeMs < Infinity) this.clock.after(plan.lifeMs, () => this.#die(process));
  }

  /** From now on the clients keep so many requests open. */
  load(open: number) {
    for (let nth = 0; nth < open; nth += 1) this.ask("work", `c${nth % CLIENTS}`);
  }

  /** A client sends a request of this kind. A long job may take as long as it needs. */
  ask(kind: Kind, client = "c") {
    this.#asked += 1;
    const id = String(this.#asked);
    this.#kinds.set(id, kind);
    if (kind === "poison") this.#ended.poison += 1;
    const options = kind === "long" ? { ttl: LONG_MS } : {};
    const body = encodeCall({ service: SERVICE, options, body: [Buffer.from(kind)] });
    const envelope = [Buffer.from(id), Buffer.alloc(0)];
    const request = { header: "client", dialect: MDP_0_1, name: "REQUEST", envelope } as const;
    this.#receive(client, encode({ ...request, service: CALL, body }));
  }

  /** Kills the next workers that begin a request of this kind. */
  killWorkersOf(kind: Kind, count: number) {
    this.#victims = kind;
    this.#victimsLeft = count;
  }

  /** Runs for so many ms. Returns the figures of this time. */
  measure(ms: number): Figures {
    this.#countPossible();
    this.#possible = 0;
    this.#answered = 0;
    this.clock.run(this.clock.now + ms);
    this.#countPossible();
    return { relative: this.#answered / this.#possible, ...this.#ended };
  }

  #lives({ address }: Process): boolean {
    return this.#processes.has(address);
  }

  /** Runs a task at intervals until it returns false. */
  #every(ms: number, task: () => boolean) {
    this.clock.after(ms, () => {
      if (task()) this.#every(ms, task);
    });
  }

  /** Call before each change of the workers or of their slots. */
  #countPossible() {
    const ms = this.clock.now - this.#countedAt;
    this.#countedAt = this.clock.now;
    for (const { plan, stuck } of this.#processes.values())
      if (plan.lifeMs === Infinity) this.#possible += ((plan.credit - stuck) * ms) / this.#workMs;
  }

  #receive(from: string, frames: Frame[]) {
    this.#perform(this.#broker.receive(from, frames, this.clock.now));
  }

  #perform(effects: Effect[]) {
    for (const effect of effects) {
      if (effect.do !== "send") continue;
      const { to, frames } = effect;
      this.clock.after(0, () => this.#arrive(to, decode(frames, true)));
    }
  }

  #arrive(to: string, command: Command | { header: "invalid" }) {
    if (command.header === "client") return this.#end(to, command.envelope, command.body);
    const process = this.#processes.get(to);
    if (process && command.header === "worker" && command.name === "REQUEST")
      this.#begin(process, command.client, String(command.body[0]) as Kind);
  }

  #begin(process: Process, client: Frame, kind: Kind) {
    if (kind === "poison") return this.clock.after(DEATH_MS, () => this.#die(process));
    if (kind === this.#victims && this.#victimsLeft > 0) {
      this.#victimsLeft -= 1;
      return this.clock.after(DEATH_MS, () => this.#die(process));
    }
    if (kind === "hang" || kind === "long") {
      this.#countPossible();
      process.stuck += 1;
      return;
    }
    this.clock.after(this.#random.around(this.#workMs), () => {
      if (!this.#lives(process)) return;
      const reply = { header: "worker", dialect: MDP_0_1, name: "REPLY", client } as const;
      this.#receive(process.address, encode({ ...reply, body: [Buffer.from("done")] }));
    });
  }

  #die(process: Process) {
    if (!this.#lives(process)) return;
    this.#countPossible();
    this.#processes.delete(process.address);
    this.#perform(this.#broker.gone(process.address, this.clock.now));
    const { restartMs } = process.plan;
    if (restartMs < Infinity) this.clock.after(restartMs, () => this.start(process.plan));
  }

  #end(client: string, [frame]: Frame[], body: Frame[]) {
    const kind = this.#kinds.get(String(frame));
    this.#kinds.delete(String(frame));
    const status = decodeStatus(body)?.status;
    if (status === STATUS.ok) this.#answered += 1;
    else if (status === STATUS.quarantined)
      this.#ended[kind === "poison" ? "quarantined" : "innocents"] += 1;
    else if (kind === "work" || kind === "suspect") this.#ended.expired += 1;
    if (kind === "work") this.ask("work", client);
  }
}

const { limits: LIMITS } = brokerSettings({ memoryMax: 2 ** 30 });

const SERVICE = Buffer.from("work");
const NOTHING = new Set<never>();
const HEARTBEAT = encode({ header: "worker", dialect: MDP_0_1, name: "HEARTBEAT" });

/** The number of clients that share the load. */
const CLIENTS = 4;

/** How soon poison kills its worker, in ms. */
const DEATH_MS = 5;

/** The time to live of a long job, in ms. */
const LONG_MS = 86_400_000;
