// All requests of a run in four number arrays, which are small enough for a run of hours.

import type { Service } from "./fault-schedule.ts";
import { SERVICES } from "./fault-schedule.ts";

/**
 * answered: the client got the correct reply. wrong: it got another reply. refused: the broker rejected
 * the request, or the service returned an error. lost: the client got no reply in time.
 */
export const OUTCOMES = ["answered", "wrong", "refused", "lost"] as const;
export type ChaosOutcome = (typeof OUTCOMES)[number];

export type EndedRequest = {
  service: Service;
  outcome: ChaosOutcome;
  /** The scheduled start, in ms since 1970. */
  at: number;
  /** The time from the scheduled start to the outcome. */
  latencyMs: number;
};

/** In ms. */
export type Latency = { p50: number; p99: number; max: number };

export class RequestLog {
  /** The number of requests per service, also of those without an outcome yet. */
  readonly sent = Object.fromEntries(SERVICES.map((name) => [name, 0])) as Record<Service, number>;
  #counts = new Map<string, number>();
  #at: number[] = [];
  #latencyMs: number[] = [];
  #service: number[] = [];
  #outcome: number[] = [];

  begin(service: Service) {
    this.sent[service] += 1;
  }

  end({ service, outcome, at, latencyMs }: EndedRequest) {
    const key = `${service} ${outcome}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    this.#at.push(at);
    this.#latencyMs.push(latencyMs);
    this.#service.push(SERVICES.indexOf(service));
    this.#outcome.push(OUTCOMES.indexOf(outcome));
  }

  /** The number of requests with this outcome, to one service or to all. */
  count(outcome: ChaosOutcome, service?: Service): number {
    const services = service ? [service] : SERVICES;
    return services.reduce((sum, name) => sum + (this.#counts.get(`${name} ${outcome}`) ?? 0), 0);
  }

  get outstanding(): number {
    const sent = Object.values(this.sent).reduce((sum, count) => sum + count, 0);
    return sent - this.#at.length;
  }

  /** The ended requests, in the order of their ends. */
  *[Symbol.iterator](): Generator<EndedRequest> {
    for (const [index, at] of this.#at.entries()) {
      yield {
        service: SERVICES[this.#service[index] ?? 0] as Service,
        outcome: OUTCOMES[this.#outcome[index] ?? 0] as ChaosOutcome,
        at,
        latencyMs: this.#latencyMs[index] ?? 0,
      };
    }
  }

  /** The latency of the answered requests, to one service or to all; null if there are none. */
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
