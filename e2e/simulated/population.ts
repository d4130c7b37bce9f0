// The processes of a run: the broker, its workers and its clients, one per place. A new process
// takes the place of one that ends, as under a supervisor.

import { SimulatedBroker } from "./broker.ts";
import { SimulatedClient } from "./client.ts";
import { PlainClient } from "./plain-client.ts";
import { PlainWorker } from "./plain-worker.ts";
import type { Process } from "./process.ts";
import { SimulatedWorker, type WorkerKind } from "./worker.ts";
import type { World } from "./world.ts";

/** A process that may end and be replaced. */
export interface Peer {
  readonly process: Process;
  kill(kept: number): void; // As on SIGKILL; at most `kept` messages per connection still arrive.
}

type Make<Some extends Peer> = (name: string, onEnd: () => void) => Some;

export class Place<Some extends Peer = Peer> {
  #make: Make<Some>;
  #name: string;
  #world: World;
  #lives = 1;
  #peer: Some;

  /**
   * `make` gets the name of the process and the callback for an end that the process chose itself.
   */
  constructor(world: World, name: string, make: Make<Some>) {
    this.#world = world;
    this.#name = name;
    this.#make = make;
    this.#peer = this.#next();
  }

  get peer(): Some {
    return this.#peer;
  }

  get process(): Process {
    return this.#peer.process;
  }

  restart() {
    if (this.process.alive) return;
    this.#lives += 1;
    this.#peer = this.#next();
  }

  restartAfter(ms: number) {
    this.#world.clock.after(ms, () => this.restart());
  }

  #next(): Some {
    const name = this.#lives === 1 ? this.#name : `${this.#name}.${this.#lives}`;
    this.#world.trace.event(() => `${name} starts`);
    return this.#make(name, () => {
      this.#world.trace.event(() => `${name} ends`);
      this.restartAfter(this.#world.random.between(1, 100));
    });
  }
}

export type AnyWorker = SimulatedWorker | PlainWorker;
export type AnyClient = SimulatedClient | PlainClient;

export class Population {
  readonly broker: Place<SimulatedBroker>;
  readonly workers: Place<AnyWorker>[] = [];
  readonly clients: Place<AnyClient>[] = [];

  constructor(world: World) {
    const { services, clients, plainClients } = world.configuration;
    this.broker = new Place(world, "broker", (_, onEnd) => new SimulatedBroker(world, onEnd));
    for (const { name: service, credits, streams, plainWorkers } of services) {
      for (const [nth, credit] of credits.entries())
        this.#addWorker(world, { service, credit, streams: nth < streams });
      for (let nth = 0; nth < plainWorkers; nth += 1) this.#addPlainWorker(world, service);
    }
    for (let nth = 1; nth <= clients; nth += 1)
      this.clients.push(
        new Place<AnyClient>(world, `c${nth}`, (name) => new SimulatedClient(world, name)),
      );
    for (let nth = 1; nth <= plainClients; nth += 1)
      this.clients.push(
        new Place<AnyClient>(world, `pc${nth}`, (name) => new PlainClient(world, name)),
      );
  }

  get everybody(): Place[] {
    return [this.broker, ...this.workers, ...this.clients];
  }

  #addWorker(world: World, kind: WorkerKind) {
    const make: Make<AnyWorker> = (name, onEnd) => new SimulatedWorker(world, name, kind, onEnd);
    this.workers.push(new Place(world, `w${this.workers.length + 1}`, make));
  }

  #addPlainWorker(world: World, service: string) {
    const make: Make<AnyWorker> = (name, onEnd) => new PlainWorker(world, name, service, onEnd);
    this.workers.push(new Place(world, `pw${this.workers.length + 1}`, make));
  }
}
