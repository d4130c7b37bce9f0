// A client that notes what it asked and what became of it.

import {
  Client,
  type ClientOptions,
  Refused,
  RequestError,
  type RequestOptions,
} from "../../clients/client.ts";
import type { HistoryEvent, Outcome } from "../history.ts";

/** An outcome, who answered, or the class of the error. */
export type Told = Outcome & { by?: string; error?: string };

export class Asker {
  readonly client: Client;
  readonly name: string;
  #asked = 0;
  #history: HistoryEvent[];

  constructor(
    name: string,
    endpoint: string,
    history: HistoryEvent[],
    options: ClientOptions = {},
  ) {
    // It does not give up on a broker that is away for as long as a test takes.
    this.client = new Client(endpoint, { silenceMs: 1000, tries: 100, ...options });
    this.name = name;
    this.#history = history;
  }

  /** Asks for work of so many ms, or for what else `slow` understands. Never rejects. */
  async ask(work: number | string, options: RequestOptions = {}): Promise<Told> {
    this.#asked += 1;
    const request = `${this.name}-${this.#asked}`;
    this.#history.push({ event: "asked", request, client: this.name });
    const outcome = await this.#outcome([String(work), request], options);
    this.#history.push({ event: "ended", request, client: this.name, outcome });
    return outcome;
  }

  async #outcome(body: string[], options: RequestOptions): Promise<Told> {
    try {
      const [by, request] = await this.client.request("slow", body, options);
      return { answers: String(request), by: String(by) };
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const { name, message } = error;
      return error instanceof Refused
        ? { refused: message, error: name }
        : { unknown: message, error: name };
    }
  }
}
