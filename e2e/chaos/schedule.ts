// What goes wrong, to whom, when and for how long: a pure function of a seed and a duration.

import { Random } from "../simulated/random.ts";

/** How many workers each service has. */
export const WORKERS = { slow: 3, echo: 2, math: 2, db: 2 } as const;
export type Service = keyof typeof WORKERS;
export const SERVICES = Object.keys(WORKERS) as Service[];

export const KINDS = [
  "killed",
  "terminated",
  "restarted",
  "frozen",
  "paused",
  "cut off",
  "black-holed",
  "losing packets",
] as const;
export type Kind = (typeof KINDS)[number];

/** The broker, or the nth worker of a service. */
export type Target = "broker" | `${Service}-${number}`;
export const TARGETS: Target[] = [
  "broker",
  ...SERVICES.flatMap((service) =>
    Array.from({ length: WORKERS[service] }, (_, nth): Target => `${service}-${nth + 1}`),
  ),
];

export const serviceOf = (target: Target) => target.split("-")[0] as Service | "broker";

/** Times are in ms, from the first request on. */
export type Planned = {
  at: number;
  kind: Kind;
  target: Target;
  forMs: number; // Until it is healed. A restart takes as long as it takes.
};

/** For so many ms without a sign of life the broker and its workers wait for each other. */
export const HEARTBEAT = { intervalMs: 500, liveness: 3 };
const LEASE_MS = HEARTBEAT.intervalMs * HEARTBEAT.liveness;

/** In the order of their times. No target has two at once, nor one before it is over the last. */
export function schedule(seed: number, durationMs: number): Planned[] {
  const random = new Random(seed);
  const draws = new Draws(random.whole(0, 1));
  const planned: Planned[] = [];
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
type Draw = { kind: Kind; place: Place };

/** In each round every kind comes to two workers, and every other kind to the broker. */
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
    for (const [nth, kind] of KINDS.entries()) {
      this.#left.push({ kind, place: "worker" }, { kind, place: "worker" });
      if (nth % 2 === this.#turn % 2) this.#left.push({ kind, place: "broker" });
    }
    this.#turn += 1;
  }
}

/** To the next fault, in whole ms. Now and then two come at once. */
const gap = (random: Random) =>
  random.chance(AT_ONCE) ? random.whole(0, 50) : random.whole(1500, 3500);

function lasts(kind: Kind, place: Place, random: Random): number {
  switch (kind) {
    case "restarted":
      return 0;
    case "killed":
    case "terminated":
      return random.whole(300, place === "broker" ? LEASE_MS : 3 * LEASE_MS);
    case "losing packets":
      return random.whole(LEASE_MS, 4 * LEASE_MS);
    default: // Shorter than a lease, so that nobody need notice, or longer.
      return random.chance(0.5)
        ? random.whole(100, 0.7 * LEASE_MS)
        : random.whole(1.3 * LEASE_MS, 3 * LEASE_MS);
  }
}

const AT_ONCE = 0.25;
const FIRST_MS = 1000;
const LAST_MS = 1000; // Before the end, so that there is time for it to be felt.
const REST_MS = 4000; // For a target to recover before it is hit again.
const FREE_MIN = 4; // Of all targets; with fewer, the moment passes.
