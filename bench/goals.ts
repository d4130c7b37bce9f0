// What this project means to reach, as ratios wherever there is something to compare with.

import { guideBroker } from "./native/contenders.ts";
import { naive, shipped, thin } from "./ours/contenders.ts";
import {
  AT_1,
  AT_64,
  DEPTH,
  IDLE,
  IDLE_WORKERS,
  NATS,
  NATS_THIN,
  ON_LIBZMQ,
  ours,
  queued,
  STRICT,
  USER,
} from "./plan.ts";
import type { Results } from "./results.ts";

type Goal = {
  what: string;
  unit: string;
  bound: { least: number } | { most: number };
  value(results: Results): number; // NaN if it was not measured.
};

export type Verdict = Pick<Goal, "what" | "unit" | "bound"> & {
  value: number;
  met: boolean | null; // Null: not measured.
};

const speed = (subject: { name: string }, other: string) => (results: Results) =>
  results.ratio(USER, AT_64, "perSecond", subject.name, other);

/** What is asked of our broker with Node clients and workers: those that are shipped, and thin ones. */
const withNodePeers = (make: typeof shipped): Goal[] => {
  const [credit, oneAtATime] = [make("zmtp", 64), make("zmtp", 1)];
  return [
    {
      what: `${credit.name}: requests a second, to those of ${NATS}`,
      unit: "×",
      bound: { least: 4 },
      value: speed(credit, NATS),
    },
    {
      what: `${credit.name}: to those of a thin NATS client`,
      unit: "×",
      bound: { least: 1.5 },
      value: speed(credit, NATS_THIN),
    },
    {
      what: `${credit.name}: to those of ${naive.name}`,
      unit: "×",
      bound: { least: 10 },
      value: speed(credit, naive.name),
    },
    {
      what: `${oneAtATime.name}: to those of ${NATS}`,
      unit: "×",
      bound: { least: 1 },
      value: speed(oneAtATime, NATS),
    },
    {
      what: `${credit.name}, ${AT_1}: median latency, to that of ${NATS}`,
      unit: "×",
      bound: { most: 0.6 },
      value: (results) => results.ratio(USER, AT_1, "p50", credit.name, NATS),
    },
  ];
};

export const GOALS: Goal[] = [
  ...withNodePeers(thin),
  ...withNodePeers(shipped),
  {
    what: `${ours("zmtp")}, load and workers in C on libzmq, one at a time: to those of ${guideBroker.name}`,
    unit: "×",
    bound: { least: 1.2 },
    value: (results) =>
      results.ratio(ON_LIBZMQ, STRICT, "perSecond", ours("zmtp"), guideBroker.name),
  },
  {
    what: `${ours("zmtp")}, ${IDLE_WORKERS}: CPU time of the broker`,
    unit: "% of a core",
    bound: { most: 2 },
    value: (results) =>
      100 * (results.medians(IDLE, IDLE_WORKERS, ours("zmtp"))?.core ?? Number.NaN),
  },
  {
    what: `${ours("zmtp")}, ${queued(1e6)} of 64 bytes queued: memory`,
    unit: "bytes each",
    bound: { most: 400 },
    value: (results) => results.medians(DEPTH, queued(1e6), ours("zmtp"))?.bytesEach ?? Number.NaN,
  },
];

export const verdicts = (results: Results): Verdict[] =>
  GOALS.map(({ what, unit, bound, value: measured }) => {
    const value = measured(results);
    return { what, unit, bound, value, met: Number.isNaN(value) ? null : within(value, bound) };
  });

const within = (value: number, bound: Goal["bound"]) =>
  "least" in bound ? value >= bound.least : value <= bound.most;
