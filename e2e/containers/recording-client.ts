// A client that records its requests and their outcomes in a history.

import {
  Client,
  type ClientOptions,
  Refused,
  RequestError,
  type RequestOptions,
} from "../../clients/client.ts";
import type { HistoryEvent, Outcome } from "../history.ts";
import { transport } from "../transport.ts";

/** An outcome with the details that tests check. */
export type RecordedOutcome = Outcome & {
  /** Host name of the worker that answered. */
  by?: string;
  /** Version of the document that `increment` wrote. */
  version?: number;
  /** Class name of the error. */
  error?: string;
};

export class RecordingClient {
  readonly client: Client;
  readonly name: string;
  #requests = 0;
  #history: HistoryEvent[];

  constructor(
    name: string,
    endpoint: string,
    history: HistoryEvent[],
    options: ClientOptions = {},
  ) {
    // With 100 tries the client outlasts every broker outage of a test.
    this.client = new Client(endpoint, { transport, silenceMs: 1000, tries: 100, ...options });
    this.name = name;
    this.#history = history;
  }

  /**
   * Sends a request to the service `slow`: `work` in ms, or another command that the service knows.
   * Never rejects.
   */
  request(work: number | string, options: RequestOptions = {}): Promise<RecordedOutcome> {
    return this.#record(async (request) => {
      const [by, answers] = await this.client.request("slow", [String(work), request], options);
      return { answers: String(answers), by: String(by) };
    });
  }

  /** Increments a new document through `db`. Never rejects. */
  increment(): Promise<RecordedOutcome> {
    return this.#record(async (request) => {
      const command = JSON.stringify({ command: "increment", key: request });
      const [document] = await this.client.request("db", command);
      const { key, version } = JSON.parse(String(document));
      return { answers: key, version };
    });
  }

  async #record(send: (request: string) => Promise<RecordedOutcome>): Promise<RecordedOutcome> {
    this.#requests += 1;
    const request = `${this.name}-${this.#requests}`;
    this.#history.push({ event: "asked", request, client: this.name, at: Date.now() });
    const outcome = await send(request).catch(outcomeOf);
    this.#history.push({ event: "ended", request, client: this.name, outcome, at: Date.now() });
    return outcome;
  }
}

function outcomeOf(error: unknown): RecordedOutcome {
  if (!(error instanceof RequestError)) throw error;
  const { name, message } = error;
  return error instanceof Refused
    ? { refused: message, error: name }
    : { unknown: message, error: name };
}
