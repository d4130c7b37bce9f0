// Requests to the service `slow` from clients of any version, with a history of their outcomes.

import type { Client } from "../../clients/client.ts";
import type { HistoryEvent, Outcome } from "../history.ts";
import { until } from "../until.ts";

/** The longest work of a request, in ms. */
const WORK_MS_MAX = 20;

/**
 * The longest wait for one condition, and for one reply, in ms. It suits a busy machine that starts
 * several programs at once.
 */
export const WAIT_MAX_MS = 150_000;

/** Outstanding requests per client. */
const OUTSTANDING = 2;

export class RecordedLoad {
  #answered = 0;
  #stopped = false;
  #history: HistoryEvent[];
  #done: Promise<unknown>;

  /** Every client keeps a few requests outstanding until `stop`. */
  constructor(clients: Client[], history: HistoryEvent[]) {
    this.#history = history;
    this.#done = Promise.all(
      clients.flatMap((client, nth) =>
        Array.from({ length: OUTSTANDING }, (_, lane) =>
          this.#keepRequesting(client, `c${nth}`, `c${nth}-${lane}`),
        ),
      ),
    );
  }

  /** Resolves after 100 more replies. */
  async advances() {
    const before = this.#answered;
    await until("replies of slow", () => this.#answered >= before + 100, WAIT_MAX_MS);
  }

  /** Resolves when every request has its outcome. */
  async stop() {
    this.#stopped = true;
    await this.#done;
  }

  /** Ends at the first request without a reply, which every test reports. */
  async #keepRequesting(client: Client, name: string, lane: string) {
    for (let index = 0; !this.#stopped; index += 1) {
      const request = `${lane}-${index}`;
      this.#history.push({ event: "asked", request, client: name });
      const outcome = await outcomeOf(client, String((index * 7) % WORK_MS_MAX), request);
      this.#history.push({ event: "ended", request, client: name, outcome });
      if (!("answers" in outcome)) return;
      this.#answered += 1;
    }
  }
}

async function outcomeOf(client: Client, work: string, request: string): Promise<Outcome> {
  try {
    const [, answers] = await client.request("slow", [work, request], {
      timeoutMs: WAIT_MAX_MS,
    });
    return { answers: String(answers) };
  } catch (error) {
    // The client of 0.1.0 has error classes of its own, so `instanceof` cannot match both.
    const { name, message } = error as Error;
    const sentence = `${name}: ${message}`;
    return "status" in (error as Error) ? { refused: sentence } : { unknown: sentence };
  }
}
