// The record of the requests of a simulated client, in the history and in the trace.

import type { Outcome } from "../history.ts";
import type { Task } from "./task.ts";
import type { World } from "./world.ts";

export class ClientRecord {
  #world: World;
  #client: string;

  constructor(world: World, client: string) {
    this.#world = world;
    this.#client = client;
  }

  /** The client sends a request. With `again` it repeats the call of that request. */
  asked(task: Task, again?: string) {
    const { history, trace, clock } = this.#world;
    const client = this.#client;
    const repeated = again === undefined ? {} : { again };
    history.push({ event: "asked", request: task.name, client, ...repeated, at: clock.now });
    trace.event(() => `${client} requests ${task.name} of ${task.service}`);
  }

  /** The request of a client has its outcome. */
  ended(task: Task, outcome: Outcome) {
    const { history, trace, clock } = this.#world;
    const client = this.#client;
    history.push({ event: "ended", request: task.name, client, outcome, at: clock.now });
    trace.event(() => `${client} gets the outcome of ${task.name}: ${JSON.stringify(outcome)}`);
  }
}
