// For tests: a client whose test supplies the answer to each request.

import type { Frame } from "../../protocol/frame.ts";
import { Closed } from "../client.ts";
import type { LoadedClient } from "./outcome.ts";

/** The reply to a request, an error to reject with, or no reply until the client is closed. */
export type Answer = Frame[] | Error | "silence";

/** Implements the part of Client that the load client uses. */
export class FakeClient implements LoadedClient {
  readonly unmatchedReplies = { duplicate: 0, late: 0 };
  retries = 0;
  readonly services: string[] = []; // Per request, in order.
  readonly ids: (string | undefined)[] = []; // Per request, in order.
  #answer: (service: string, body: Frame[]) => Answer;
  #closed = Promise.withResolvers<never>();

  constructor(answer: (service: string, body: Frame[]) => Answer) {
    this.#answer = answer;
    this.#closed.promise.catch(() => {});
  }

  request: LoadedClient["request"] = async (service, body, { id } = {}) => {
    this.services.push(service);
    this.ids.push(id);
    const frames = [body].flat().map((frame) => Buffer.from(frame as string));
    const answer = this.#answer(service, frames);
    // Timers and signals run first, as they do while a real client waits for its socket.
    await new Promise((resolve) => setImmediate(resolve));
    if (answer === "silence") return this.#closed.promise;
    if (answer instanceof Error) throw answer;
    return answer;
  };

  close() {
    this.#closed.reject(new Closed("any", "closed"));
  }
}

/** Returns a function that answers like the real services. */
export function workingServices() {
  const values = new Map<string, string>();
  return (service: string, body: Frame[]): Frame[] => {
    if (service === "echo") return body;
    const text = String(body[0]);
    // JavaScript computes the value independently of the workload.
    if (service === "math") return [Buffer.from(String(new Function(`return ${text}`)()))];
    const { command, key, value } = JSON.parse(text);
    if (command === "put") values.set(key, value);
    return [Buffer.from(JSON.stringify({ key, value: values.get(key), version: 1 }))];
  };
}
