// The schedule of faults: kind, target, start and duration. A pure function of seed and run duration.

import { Random } from "../simulated/random.ts";

/** The number of workers per service. */
export const WORKERS = { slow: 3, echo: 2, math: 2, db: 2 } as const;
export type Service = keyof typeof WORKERS;
export const SERVICES = Object.keys(WORKERS) as Service[];

export const FAULT_KINDS = [
  "killed",
  "terminated",
  "restarted",
  "frozen",
  "paused",
  "cut off",
  "black-holed",
  "losing packets",
] as const;
export type ChaosFaultKind = (typeof FAULT_KINDS)[number];

/** The broker, or a worker of a service; workers count from 1. */
export type Target = "broker" | `${Service}-${number}`;
export const TARGETS: Target[] = [
  "broker",
  ...SERVICES.flatMap((service) =>
    Array.from({ length: WORKERS[service] }, (_, index): Target => `${service}-${index + 1}`),
  ),
];

export const serviceOf = (target: Target) => target.split("-")[0] as Service | "broker";

export type PlannedFault = {
  /** In ms since the first request. */
  at: number;
  kind: ChaosFaultKind;
  target: Target;
  /** The time until it is healed; 0 for a restart. */
  forMs: number;
};

/** The heartbeat settings of the broker and the workers. */
export const HEARTBEAT = { intervalMs: 500, liveness: 3 };
const LEASE_MS = HEARTBEAT.intervalMs * HEARTBEAT.liveness;

/** The faults in the order of their starts. A target recovers from a fault before its next one. */
export function schedule(seed: number, durationMs: number): PlannedFault[] {
  const random = new Random(seed);
  const draws = new Draws(random.whole(0, 1));
  const planned: PlannedFault[] = [];
  const freeAt = new Map<Target, number>();
  for (let at = FIRST_MS; at <= durationMs - LAST_MS; at += gap(random)) {
    const free = TARGETS.filter((target) => (freeAt.get(target) ?? 0) <= at);
    if (free.length < FREE_MIN) continue;
    const { kind, place } = draws.take(random, free.includes("broker"));
    const target = place === "broker" ? place : random.pick(free.filter(isWorker));
    const forMs = Math.min(lasts(kind, place, random), durationMs - at);
    planned.push({ at, kind, target, forMs });
    freeAt.set(target, at + forMs + REST_MS);
  }
  return planned;
}

const isWorker = (target: Target) => target !== "broker";

type Place = "broker" | "worker";
type Draw = { kind: ChaosFaultKind; place: Place };

/** Draws faults in rounds: each kind for two workers, and every second kind for the broker. */
class Draws {
  #left: Draw[] = [];
  #turn: number;

  constructor(turn: number) {
    this.#turn = turn;
  }

  take(random: Random, forBroker: boolean): Draw {
    const suits = ({ place }: Draw) => place === "worker" || forBroker;
    if (!this.#left.some(suits)) this.#add();
    const draw = random.pick(this.#left.filter(suits));
    this.#left.splice(this.#left.indexOf(draw), 1);
    return draw;
  }

  #add() {
    for (const [index, kind] of FAULT_KINDS.entries()) {
      this.#left.push({ kind, place: "worker" }, { kind, place: "worker" });
      if (index % 2 === this.#turn % 2) this.#left.push({ kind, place: "broker" });
    }
    this.#turn += 1;
  }
}

/** The time to the next fault, in whole ms. One in four follows almost at once. */
const gap = (random: Random) =>
  random.chance(AT_ONCE) ? random.whole(0, 50) : random.whole(1500, 3500);

function lasts(kind: ChaosFaultKind, place: Place, random: Random): number {
  switch (kind) {
    case "restarted":
      return 0;
    case "killed":
    case "terminated":
      return random.whole(300, place === "broker" ? LEASE_MS : 3 * LEASE_MS);
    case "losing packets":
      return random.whole(LEASE_MS, 4 * LEASE_MS);
    default: // Clearly shorter or clearly longer than a lease.
      return random.chance(0.5)
        ? random.whole(100, 0.7 * LEASE_MS)
        : random.whole(1.3 * LEASE_MS, 3 * LEASE_MS);
  }
}

const AT_ONCE = 0.25;
const FIRST_MS = 1000;
const LAST_MS = 1000; // The last fault starts this long before the end.
const REST_MS = 4000; // A target recovers for this long before its next fault.
const FREE_MIN = 4; // With fewer free targets the schedule skips a fault.
