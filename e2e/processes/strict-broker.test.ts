// Our echo worker at a broker that fails on a READY of more than the four frames of 7/MDP.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Router } from "zeromq";
import { until } from "../until.ts";
import { freeEndpoint, Program } from "./program.ts";

const SETTINGS = [
  { name: "broker that does not reply to probes", replies: false },
  { name: "broker that replies 404 to probes", replies: true },
];

for (const { name, replies } of SETTINGS) {
  test(`strict ${name}: READY of four frames, and the worker serves`, async () => {
    await using broker = await StrictBroker.start({ replies });
    const worker = new Program("workers/echo.ts", [], { MDP_BROKER: broker.endpoint });
    try {
      await until("a reply", () => broker.failed || broker.replies.length > 0);
      assert.equal(broker.failed, false);
      assert.deepEqual(broker.replies, ["hello"]);
    } finally {
      await worker.destroy();
    }
  });
}

/** Sends one request to each worker that registers. Ends at the first READY that is not plain. */
class StrictBroker implements AsyncDisposable {
  readonly endpoint: string;
  readonly replies: string[] = []; // The bodies of all REPLYs.
  failed = false;
  #socket: Router;
  #reading: Promise<void>;

  static async start({ replies }: { replies: boolean }): Promise<StrictBroker> {
    const endpoint = await freeEndpoint();
    const socket = new Router({ linger: 0 });
    await socket.bind(endpoint);
    return new StrictBroker(endpoint, socket, replies);
  }

  private constructor(endpoint: string, socket: Router, replies: boolean) {
    this.endpoint = endpoint;
    this.#socket = socket;
    this.#reading = this.#read(replies);
  }

  async [Symbol.asyncDispose]() {
    this.#socket.close();
    await this.#reading;
  }

  async #read(replies: boolean) {
    for await (const frames of this.#socket) {
      const [from = "", ...message] = frames.map((frame) => frame.toString("latin1"));
      const [, header, command] = message;
      const to = Buffer.from(from, "latin1");
      if (header === "MDPC01" && replies) {
        await this.#socket.send([to, "", "MDPC01", "mmi.service", "404"]);
      } else if (command === "\x01") {
        this.failed = message.length !== 4;
        if (this.failed) return;
        await this.#socket.send([to, "", "MDPW01", "\x02", "client", "", "hello"]);
      } else if (command === "\x03") {
        this.replies.push(message[5] ?? "");
      }
    }
  }
}
