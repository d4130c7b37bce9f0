// Requests that go on in the background while faults happen.

import { setTimeout } from "node:timers/promises";
import type { RecordingClient } from "./recording-client.ts";

/** The longest work of a request, in ms; the mean is half of it. */
const WORK_MS_MAX = 40;

/** Outstanding requests per client. */
const OUTSTANDING = 4;

export class BackgroundLoad {
  answered = 0;
  #stopped = false;
  #done: Promise<unknown>;

  /** Every client keeps a few requests outstanding until `stop`. */
  constructor(clients: RecordingClient[]) {
    this.#done = Promise.all(
      clients.flatMap((client) =>
        Array.from({ length: OUTSTANDING }, () => this.#keepRequesting(client)),
      ),
    );
  }

  /** Resolves after `replies` more replies; rejects if they take longer than `withinMs`. */
  async advances(replies = 50, withinMs = 20_000) {
    const [before, deadline] = [this.answered, performance.now() + withinMs];
    while (this.answered < before + replies) {
      if (performance.now() > deadline)
        throw new Error(`${this.answered - before} of ${replies} replies within ${withinMs} ms`);
      await setTimeout(20);
    }
  }

  /** Resolves when every request has its outcome. */
  async stop() {
    this.#stopped = true;
    await this.#done;
  }

  async #keepRequesting(client: RecordingClient) {
    for (let index = 0; !this.#stopped; index += 1) {
      const outcome = await client.request((index * 7) % WORK_MS_MAX);
      if ("answers" in outcome) this.answered += 1;
      // A failed test closes its clients without stopping the load.
      if (outcome.error === "Closed") break;
    }
  }
}
