// For tests: a client whose broker and services do what the test says.

import type { Frame } from "../../protocol/frame.ts";
import { Closed } from "../client.ts";
import type { LoadedClient } from "./outcome.ts";

/** The reply to a request, an error to reject with, or silence until the client is closed. */
export type Answer = Frame[] | Error | "silence";

export class FakeClient implements LoadedClient {
  readonly unmatchedReplies = { duplicate: 0, late: 0 };
  retries = 0;
  readonly asked: string[] = []; // The services, in the order of the requests.
  readonly ids: (string | undefined)[] = []; // Of the calls, likewise.
  #answer: (service: string, body: Frame[]) => Answer;
  #closed = Promise.withResolvers<never>();

  constructor(answer: (service: string, body: Frame[]) => Answer) {
    this.#answer = answer;
    this.#closed.promise.catch(() => {});
  }

  request: LoadedClient["request"] = async (service, body, { id } = {}) => {
    this.asked.push(service);
    this.ids.push(id);
    const frames = [body].flat().map((frame) => Buffer.from(frame as string));
    const answer = this.#answer(service, frames);
    // Timers and signals get their turn, as they do while a socket is waited for.
    await new Promise((resolve) => setImmediate(resolve));
    if (answer === "silence") return this.#closed.promise;
    if (answer instanceof Error) throw answer;
    return answer;
  };

  close() {
    this.#closed.reject(new Closed("any", "closed"));
  }
}

/** Answers as the services do. */
export function workingServices() {
  const values = new Map<string, string>();
  return (service: string, body: Frame[]): Frame[] => {
    if (service === "echo") return body;
    const text = String(body[0]);
    // JavaScript computes what the workload computed in another way.
    if (service === "math") return [Buffer.from(String(new Function(`return ${text}`)()))];
    const { command, key, value } = JSON.parse(text);
    if (command === "put") values.set(key, value);
    return [Buffer.from(JSON.stringify({ key, value: values.get(key), version: 1 }))];
  };
}
