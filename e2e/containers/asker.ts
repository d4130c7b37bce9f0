// A client that notes what it asked and what became of it.

import {
  Client,
  type ClientOptions,
  Refused,
  RequestError,
  type RequestOptions,
} from "../../clients/client.ts";
import type { HistoryEvent, Outcome } from "../history.ts";
import { transport } from "../transport.ts";

/** An outcome, and what it says besides. */
export type Told = Outcome & {
  by?: string; // The worker that answered.
  version?: number; // How often the document was written.
  error?: string; // The class of the error.
};

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
    this.client = new Client(endpoint, { transport, silenceMs: 1000, tries: 100, ...options });
    this.name = name;
    this.#history = history;
  }

  /** Asks `slow` for work of so many ms, or for what else it understands. Never rejects. */
  ask(work: number | string, options: RequestOptions = {}): Promise<Told> {
    return this.#noted(async (request) => {
      const [by, answers] = await this.client.request("slow", [String(work), request], options);
      return { answers: String(answers), by: String(by) };
    });
  }

  /** Has `db` increment a document that is not there yet. Never rejects. */
  increment(): Promise<Told> {
    return this.#noted(async (request) => {
      const command = JSON.stringify({ command: "increment", key: request });
      const [document] = await this.client.request("db", command);
      const { key, version } = JSON.parse(String(document));
      return { answers: key, version };
    });
  }

  async #noted(ask: (request: string) => Promise<Told>): Promise<Told> {
    this.#asked += 1;
    const request = `${this.name}-${this.#asked}`;
    this.#history.push({ event: "asked", request, client: this.name });
    const outcome = await ask(request).catch(told);
    this.#history.push({ event: "ended", request, client: this.name, outcome });
    return outcome;
  }
}

function told(error: unknown): Told {
  if (!(error instanceof RequestError)) throw error;
  const { name, message } = error;
  return error instanceof Refused
    ? { refused: message, error: name }
    : { unknown: message, error: name };
}
