// All services that have a worker or an open request. Peers choose the names of services, so their
// number has a bound, and the broker forgets a service once it has neither.

import type { Frame } from "../protocol/frame.ts";
import type { Limits } from "./limits.ts";
import { newService, type Service } from "./model.ts";
import type { Stats } from "./stats.ts";

/** All services, by name. */
export class Services {
  #max: number;
  #stats: Stats;
  #byName = new Map<string, Service>();

  constructor({ servicesMax }: Pick<Limits, "servicesMax">, stats: Stats) {
    this.#max = servicesMax;
    this.#stats = stats;
  }

  /** The number of services. */
  get size(): number {
    return this.#byName.size;
  }

  /** Whether the broker can take no other service. */
  get isFull(): boolean {
    return this.#byName.size >= this.#max;
  }

  /** Iterates in the order in which the services were added. */
  [Symbol.iterator]() {
    return this.#byName.values();
  }

  /** The service with this name, one character per byte; undefined if there is none. */
  get(name: string): Service | undefined {
    return this.#byName.get(name);
  }

  /** Adds a service with this name. There must be none of that name, and room for it. */
  add(name: Frame): Service {
    const service = newService(name, this.#stats.of(name));
    this.#byName.set(service.name, service);
    return service;
  }

  /** Forgets a service that has neither a worker nor an open request. */
  forgetIfIdle({ name, workers, open }: Service) {
    if (workers === 0 && open === 0) this.#byName.delete(name);
  }

  /** Forgets all services. */
  clear() {
    this.#byName.clear();
  }
}
