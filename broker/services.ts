// All services that have a worker or an open request. Peers choose the names of services, so the broker
// forgets a service once it has neither. Services with workers and services that clients alone want have
// a bound each, so that the names of clients keep no worker out.

import { IntrusiveList } from "../collections/intrusive-list.ts";
import type { Frame } from "../protocol/frame.ts";
import type { Limits } from "./limits.ts";
import { newService, type Service } from "./model.ts";
import type { Stats } from "./stats.ts";

/** All services, by name. */
export class Services {
  #max: number;
  #stats: Stats;
  #byName = new Map<string, Service>();
  // Those without a worker: without one for longest first.
  #wanted = new IntrusiveList<Service>("wantedBefore", "wantedAfter");

  constructor({ servicesMax }: Pick<Limits, "servicesMax">, stats: Stats) {
    this.#max = servicesMax;
    this.#stats = stats;
  }

  /** The number of services. */
  get size(): number {
    return this.#byName.size;
  }

  /** Whether no other service may get its first worker. */
  get isFull(): boolean {
    return this.#byName.size - this.#wanted.length >= this.#max;
  }

  /** Iterates in the order in which the services were added. */
  [Symbol.iterator]() {
    return this.#byName.values();
  }

  /** The service with this name, one character per byte; undefined if there is none. */
  get(name: string): Service | undefined {
    return this.#byName.get(name);
  }

  /** Adds a service without workers. There must be none of that name. See `takeExcess`. */
  add(name: Frame): Service {
    const service = newService(name, this.#stats.open(name));
    this.#byName.set(service.name, service);
    this.#setWanted(service, true);
    return service;
  }

  /** The service has a worker. */
  served(service: Service) {
    this.#setWanted(service, false);
    service.stats = this.#stats.registered(service);
  }

  /** The service may have lost its last worker or request. Forgets it if it has neither. */
  settle(service: Service) {
    const { name, workers, open } = service;
    if (workers > 0) return;
    if (open > 0) this.#setWanted(service, true);
    else if (this.#byName.delete(name)) this.#drop(service);
  }

  /** Takes the service that was without a worker for longest, if there are too many; else null. */
  takeExcess(): Service | null {
    const { first, length } = this.#wanted;
    if (!first || length <= this.#max) return null;
    this.#setWanted(first, false);
    return first;
  }

  /** Forgets all services. */
  clear() {
    for (const service of this) this.#drop(service);
    this.#byName.clear();
  }

  #drop(service: Service) {
    this.#setWanted(service, false);
    this.#stats.close(service.stats);
  }

  #setWanted(service: Service, wanted: boolean) {
    if (service.wanted === wanted) return;
    service.wanted = wanted;
    if (wanted) this.#wanted.push(service);
    else this.#wanted.remove(service);
  }
}
