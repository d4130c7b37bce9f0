// Clients that keep asking while something else happens.

import { setTimeout } from "node:timers/promises";
import type { Asker } from "./asker.ts";

/** How long a request's work takes at most, in ms; half as long on average. */
const WORK_MS_MAX = 40;

const OUTSTANDING = 4;

export class Load {
  answered = 0;
  #stopped = false;
  #done: Promise<unknown>;

  /** Each of the clients has a few requests outstanding, until `stop`. */
  constructor(askers: Asker[]) {
    this.#done = Promise.all(
      askers.flatMap((asker) => Array.from({ length: OUTSTANDING }, () => this.#keepAsking(asker))),
    );
  }

  /** Resolves when so many more requests have been answered: it goes on. */
  async goesOn(more = 50, withinMs = 20_000) {
    const [before, deadline] = [this.answered, performance.now() + withinMs];
    while (this.answered < before + more) {
      if (performance.now() > deadline) throw new Error(`no ${more} answers within ${withinMs} ms`);
      await setTimeout(20);
    }
  }

  /** Resolves when every request has its outcome. */
  async stop() {
    this.#stopped = true;
    await this.#done;
  }

  async #keepAsking(asker: Asker) {
    for (let nth = 0; !this.#stopped; nth += 1) {
      const outcome = await asker.ask((nth * 7) % WORK_MS_MAX);
      if ("answers" in outcome) this.answered += 1;
      if (outcome.error === "Closed") break; // The test is over, and has failed.
    }
  }
}
