// Every request of a run, small enough for hours of them: a number in each of four columns.

import type { Service } from "./schedule.ts";
import { SERVICES } from "./schedule.ts";

/**
 * answered: the right reply came. wrong: another one did. refused: the broker would not have it, or
 * its service failed. lost: its time ran out, whether or not the broker had a word on that.
 */
export const OUTCOMES = ["answered", "wrong", "refused", "lost"] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

export type Ended = {
  service: Service;
  outcome: OutcomeName;
  at: number; // When it was to start, in ms since 1970.
  latencyMs: number; // From then on to its outcome.
};

export type Latency = { p50: number; p99: number; max: number };

export class Requests {
  readonly asked = Object.fromEntries(SERVICES.map((name) => [name, 0])) as Record<Service, number>;
  #counts = new Map<string, number>();
  #at: number[] = [];
  #latencyMs: number[] = [];
  #service: number[] = [];
  #outcome: number[] = [];

  ask(service: Service) {
    this.asked[service] += 1;
  }

  end({ service, outcome, at, latencyMs }: Ended) {
    const key = `${service} ${outcome}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    this.#at.push(at);
    this.#latencyMs.push(latencyMs);
    this.#service.push(SERVICES.indexOf(service));
    this.#outcome.push(OUTCOMES.indexOf(outcome));
  }

  /** How many ended like this, of all services or of this one. */
  count(outcome: OutcomeName, service?: Service): number {
    const services = service ? [service] : SERVICES;
    return services.reduce((sum, name) => sum + (this.#counts.get(`${name} ${outcome}`) ?? 0), 0);
  }

  get outstanding(): number {
    const asked = Object.values(this.asked).reduce((sum, count) => sum + count, 0);
    return asked - this.#at.length;
  }

  /** In the order of their ends. */
  *[Symbol.iterator](): Generator<Ended> {
    for (const [nth, at] of this.#at.entries()) {
      yield {
        service: SERVICES[this.#service[nth] ?? 0] as Service,
        outcome: OUTCOMES[this.#outcome[nth] ?? 0] as OutcomeName,
        at,
        latencyMs: this.#latencyMs[nth] ?? 0,
      };
    }
  }

  /** Of what was answered, by all services or by this one. */
  latency(service?: Service): Latency | null {
    const sorted = new Float64Array(this.count("answered", service));
    let filled = 0;
    for (const ended of this) {
      if (ended.outcome !== "answered" || (service && ended.service !== service)) continue;
      sorted[filled] = ended.latencyMs;
      filled += 1;
    }
    sorted.sort();
    const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
    return sorted.length === 0 ? null : { p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}
