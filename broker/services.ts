// All services that somebody serves or wants. Peers choose their names, so there is a bound, and the
// others are forgotten.

import type { Frame } from "../protocol/frame.ts";
import { type Limits, newService, type Service } from "./model.ts";
import type { Stats } from "./stats.ts";

export class Services {
  #max: number;
  #stats: Stats;
  #byName = new Map<string, Service>();

  constructor({ servicesMax }: Limits, stats: Stats) {
    this.#max = servicesMax;
    this.#stats = stats;
  }

  get size(): number {
    return this.#byName.size;
  }

  [Symbol.iterator]() {
    return this.#byName.values();
  }

  get(name: string): Service | undefined {
    return this.#byName.get(name);
  }

  /** Whether there may be no more of them. */
  get isFull(): boolean {
    return this.#byName.size >= this.#max;
  }

  /** A service that there is not yet. */
  add(frame: Frame): Service {
    const service = newService(frame, this.#stats.of(frame));
    this.#byName.set(service.name, service);
    return service;
  }

  forgetIfIdle({ name, workers, open }: Service) {
    if (workers === 0 && open === 0) this.#byName.delete(name);
  }

  clear() {
    this.#byName.clear();
  }
}
