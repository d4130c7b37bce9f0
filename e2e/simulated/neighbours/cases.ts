// The cases in which one request or one worker could stop a service for all other requests.

import { type Figures, SimulatedService, type WorkerPlan } from "./service.ts";

/** A case: its description, the time to measure in ms, and the run of one seed. */
export type Case = {
  name: string;
  measuredMs: number;
  run: (seed: number, measuredMs: number) => Figures;
};

const HEALTHY: WorkerPlan = { credit: 16, name: null, lifeMs: Infinity, restartMs: Infinity };
const WARM_UP_MS = 10_000;
const TEN_MINUTES_MS = 600_000;
const MINUTE_MS = 60_000;

/** Two of three workers die of a request of this kind, so that its last delivery is due. */
function lastDelivery(kind: "suspect" | "hang", hasLongJob: boolean) {
  return (seed: number, measuredMs: number): Figures => {
    const service = new SimulatedService(seed, 500);
    const plan = { ...HEALTHY, credit: 10 };
    service.start(plan);
    if (hasLongJob) service.ask("long");
    service.clock.run(1000);
    for (let nth = 0; nth < 2; nth += 1) service.start(plan);
    service.load(60);
    service.clock.run(WARM_UP_MS);
    service.killWorkersOf(kind, 2);
    service.ask(kind);
    return service.measure(measuredMs);
  };
}

/** A replica crashes and returns every half second. Two other workers are healthy. */
const crashingReplica =
  (name: string | null, workMs: number) =>
  (seed: number, measuredMs: number): Figures => {
    const service = new SimulatedService(seed, workMs);
    for (let nth = 0; nth < 2; nth += 1) service.start(HEALTHY);
    service.load(100);
    service.clock.run(WARM_UP_MS);
    service.start({ ...HEALTHY, name, lifeMs: 490, restartMs: 10 });
    return service.measure(measuredMs);
  };

/** A client sends one poison message per minute. A worker that dies returns after a second. */
const poison =
  (workers: number) =>
  (seed: number, measuredMs: number): Figures => {
    const service = new SimulatedService(seed, 500);
    for (let nth = 0; nth < workers; nth += 1)
      service.start({ ...HEALTHY, name: `worker ${nth}`, restartMs: 1000 });
    service.load(40 * workers);
    service.clock.run(WARM_UP_MS);
    for (let at = 0; at < measuredMs; at += MINUTE_MS)
      service.clock.after(at, () => service.ask("poison"));
    return service.measure(measuredMs);
  };

const crashing = (name: string | null, workMs: number, measuredMs: number): Case => ({
  name:
    `replica ${name === null ? "without" : "with"} a name crashes every half second, ` +
    `two are healthy, ${workMs} ms of work`,
  measuredMs,
  run: crashingReplica(name, workMs),
});

/** All cases, in the order of docs/RELIABILITY.md. */
export const CASES: Case[] = [
  {
    name: "one worker left, with a long job; a suspect on its last delivery",
    measuredMs: TEN_MINUTES_MS,
    run: lastDelivery("suspect", true),
  },
  {
    name: "one worker left, which never replies to a suspect on its last delivery",
    measuredMs: TEN_MINUTES_MS,
    run: lastDelivery("hang", false),
  },
  ...[null, "replica"].flatMap((name) => [
    crashing(name, 50, MINUTE_MS),
    crashing(name, 500, TEN_MINUTES_MS),
    crashing(name, 5000, TEN_MINUTES_MS),
  ]),
  ...[1, 2, 3].map((workers) => ({
    name: `one poison message per minute, ${workers === 1 ? "one worker" : `${workers} workers`}`,
    measuredMs: TEN_MINUTES_MS,
    run: poison(workers),
  })),
];
