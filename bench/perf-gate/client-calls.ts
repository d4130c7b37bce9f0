// Two slices to compare: calls of the shipped client, on a transport that answers at once; and a
// baseline loop that makes about as many promises, ids, buffers and map entries and decides nothing.

import { randomUUID } from "node:crypto";
import { Client } from "../../clients/client.ts";
import { CALL } from "../../protocol/call.ts";
import { MDP_0_1 } from "../../protocol/dialects.ts";
import { EMPTY, type Frame } from "../../protocol/frame.ts";
import type { Connected, ConnectedEvents, Transport } from "../../transport/transport.ts";

const OUTSTANDING = 64;
/** Per slice: about 15 ms. */
const BATCHES = 40;
/** Makes both slices take about as long. */
const ROUNDS = 6;
const TIMEOUT_MS = 30_000;

const BODY = Buffer.alloc(64, "x");
const OK = Buffer.from("200");
const PROBED_SERVICE = Buffer.from("mmi.service");

/** A slice of the client's calls. */
export function clientCalls() {
  const client = new Client("tcp://127.0.0.1:1", { transport: ANSWERING });
  const slice = async () => {
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const replies: Promise<Frame[]>[] = [];
      for (let index = 0; index < OUTSTANDING; index += 1)
        replies.push(client.request("echo", BODY, { timeoutMs: TIMEOUT_MS }));
      await Promise.all(replies);
    }
  };
  return { slice, close: () => client.close() };
}

/** A slice of the baseline loop. */
export function baselineCalls() {
  return async () => {
    const open = new Map<number, (body: Frame[]) => void>();
    for (let batch = 0; batch < BATCHES * ROUNDS; batch += 1) {
      const replies: Promise<Frame[]>[] = [];
      for (let index = 0; index < OUTSTANDING; index += 1) {
        replies.push(new Promise((resolve) => open.set(index, resolve)));
        const options = Buffer.from(`{"ttl":${TIMEOUT_MS},"id":"${randomUUID()}"}`);
        if (options.length === 0) throw new Error("the options are empty");
      }
      await Promise.resolve();
      for (const [index, resolve] of open) {
        open.delete(index);
        resolve([OK, BODY]);
      }
      await Promise.all(replies);
    }
  };
}

/** Answers each message of one turn in the next microtask: a probe with 200, a call with its body. */
const ANSWERING: Transport = {
  version: "answering",
  bind: () => Promise.reject(new Error("this transport only connects")),
  connect: (_endpoint, _timing, events) => new Answers(events),
};

class Answers implements Connected {
  #events: ConnectedEvents;
  #messages: Frame[][] = [];

  constructor(events: ConnectedEvents) {
    this.#events = events;
    queueMicrotask(() => events.opened());
  }

  send(frames: Frame[]) {
    if (this.#messages.push(frames) === 1) queueMicrotask(() => this.#answer());
  }

  close() {}

  #answer() {
    const messages = this.#messages;
    this.#messages = [];
    for (const frames of messages) this.#events.message(answerTo(frames));
  }
}

/** A call has its id as envelope, and a capability probe has none. */
function answerTo([envelope]: Frame[]): Frame[] {
  if (envelope && envelope.length > 0)
    return [envelope, EMPTY, MDP_0_1.clientHeader, CALL, OK, BODY];
  return [EMPTY, MDP_0_1.clientHeader, PROBED_SERVICE, OK];
}
