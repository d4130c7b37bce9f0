// The goals of this project: ratios wherever there is a system to compare with.

import { guideBroker } from "./native/native-systems.ts";
import { ours, withBarePeers, withClientLibrary, zeromqExample } from "./ours/our-systems.ts";
import {
  AT_1,
  AT_64,
  DEPTH,
  END_TO_END,
  IDLE,
  IDLE_WORKERS,
  NATS,
  NATS_BARE,
  ON_LIBZMQ,
  ONE_AT_A_TIME,
  queued,
} from "./plan.ts";
import type { Results } from "./results.ts";

type Goal = {
  title: string;
  unit: string;
  bound: { least: number } | { most: number };
  /** NaN if it was not measured. */
  value(results: Results): number;
};

export type Verdict = Pick<Goal, "title" | "unit" | "bound"> & {
  value: number;
  /** Null if the value was not measured. */
  met: boolean | null;
};

const speed = (system: { name: string }, other: string) => (results: Results) =>
  results.ratio(END_TO_END, AT_64, "perSecond", system.name, other);

/** The goals with clients and workers in Node. `make` chooses the client library or bare peers. */
const withNodePeers = (make: typeof withClientLibrary): Goal[] => {
  const [credit, oneAtATime] = [make("zmtp", 64), make("zmtp", 1)];
  return [
    {
      title: `${credit.name}: requests per second, relative to ${NATS}`,
      unit: "×",
      bound: { least: 4 },
      value: speed(credit, NATS),
    },
    {
      title: `${credit.name}: requests per second, relative to ${NATS_BARE}`,
      unit: "×",
      bound: { least: 1.5 },
      value: speed(credit, NATS_BARE),
    },
    {
      title: `${credit.name}: requests per second, relative to the ${zeromqExample.name}`,
      unit: "×",
      bound: { least: 10 },
      value: speed(credit, zeromqExample.name),
    },
    {
      title: `${oneAtATime.name}: requests per second, relative to ${NATS}`,
      unit: "×",
      bound: { least: 1 },
      value: speed(oneAtATime, NATS),
    },
    {
      title: `${credit.name}, ${AT_1}: median latency, relative to ${NATS}`,
      unit: "×",
      bound: { most: 0.6 },
      value: (results) => results.ratio(END_TO_END, AT_1, "p50", credit.name, NATS),
    },
  ];
};

export const GOALS: Goal[] = [
  ...withNodePeers(withBarePeers),
  ...withNodePeers(withClientLibrary),
  {
    title:
      `${ours("zmtp")}, libzmq load and workers, one at a time: ` +
      `requests per second, relative to ${guideBroker.name}`,
    unit: "×",
    bound: { least: 1.2 },
    value: (results) =>
      results.ratio(ON_LIBZMQ, ONE_AT_A_TIME, "perSecond", ours("zmtp"), guideBroker.name),
  },
  {
    title: `${ours("zmtp")}, ${IDLE_WORKERS}: CPU time of the broker`,
    unit: "% of a core",
    bound: { most: 2 },
    value: (results) =>
      100 * (results.medians(IDLE, IDLE_WORKERS, ours("zmtp"))?.core ?? Number.NaN),
  },
  {
    title: `${ours("zmtp")}, ${queued(1e6)} of 64 bytes queued: memory`,
    unit: "bytes per request",
    bound: { most: 400 },
    value: (results) =>
      results.medians(DEPTH, queued(1e6), ours("zmtp"))?.bytesPerRequest ?? Number.NaN,
  },
];

/** Each goal with its measured value. */
export const verdicts = (results: Results): Verdict[] =>
  GOALS.map(({ title, unit, bound, value: measured }) => {
    const value = measured(results);
    return { title, unit, bound, value, met: Number.isNaN(value) ? null : within(value, bound) };
  });

const within = (value: number, bound: Goal["bound"]) =>
  "least" in bound ? value >= bound.least : value <= bound.most;
