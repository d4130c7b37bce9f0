// The figures of each service over the last five minutes, one sample per second, for the sparklines.

import { type Activity, quantileOf, sumOf } from "./rates.ts";

/** The interval between two samples, in ms. */
export const SAMPLE_MS = 1000;
/** The samples that are kept: five minutes. */
export const SAMPLES_MAX = 300;
/** A rate or a quantile is over this many samples, so that it does not jump. */
const WINDOW = 5;

/** One sample. Null: unknown, because no broker answered or nothing ended. */
export type Sample = {
  perSecond: number | null;
  p50Ms: number | null;
  p99Ms: number | null;
  queued: number | null;
};

/** The last SAMPLES_MAX samples of a service, oldest first. */
export class History {
  readonly samples: Sample[] = [];
  #activities: { activity: Activity; ms: number }[] = [];

  /** The latest sample. */
  get last(): Sample {
    return this.samples.at(-1) ?? NO_SAMPLE;
  }

  /** Adds the activity of the last `ms`; null if no broker answered. */
  add(activity: Activity | null, queued: number, boundsMs: number[], ms: number) {
    if (activity) this.#activities.push({ activity, ms });
    else this.#activities = [];
    if (this.#activities.length > WINDOW) this.#activities.shift();
    this.samples.push(activity ? this.#sample(queued, boundsMs) : NO_SAMPLE);
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
  }

  #sample(queued: number, boundsMs: number[]): Sample {
    const { answered, durations } = sumOf(this.#activities.map(({ activity }) => activity));
    const ms = this.#activities.reduce((sum, each) => sum + each.ms, 0);
    return {
      perSecond: rounded((answered * 1000) / Math.max(ms, 1)),
      p50Ms: roundedOrNull(quantileOf(durations, boundsMs, 0.5)),
      p99Ms: roundedOrNull(quantileOf(durations, boundsMs, 0.99)),
      queued,
    };
  }
}

export const NO_SAMPLE: Readonly<Sample> = {
  perSecond: null,
  p50Ms: null,
  p99Ms: null,
  queued: null,
};

const rounded = (value: number) => Math.round(value * 10) / 10;
const roundedOrNull = (value: number | null) => (value === null ? null : rounded(value));
