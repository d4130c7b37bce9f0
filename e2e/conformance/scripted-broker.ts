// A broker that a test scripts: a bare ROUTER, to which the project's worker or client connects.

import assert from "node:assert/strict";
import { Router } from "zeromq";
import { freeEndpoint } from "../processes/program.ts";
import { until } from "../until.ts";
import { type Frame, isHeartbeat, legible, toBytes } from "./raw-peer.ts";

/** The replies to the probes for `mmi.ready` and `mmi.call` that workers send before READY. */
export type ProbeReplies = readonly [ready: string, call: string];

export type ReceivedMessage = { from: string; frames: string[]; at: number };

export class ScriptedBroker implements AsyncDisposable {
  readonly endpoint: string;
  readonly received: ReceivedMessage[] = []; // Every message, in order of arrival.
  onMessage: (message: ReceivedMessage) => void = () => {}; // Called for each message.
  #probeReplies: ProbeReplies | null;
  #next = 0; // The index of the first message that next() has not returned.
  #socket: Router;
  #reading: Promise<void>;

  /** With `probeReplies` it replies to the probes of workers, and does not count them as received. */
  static async start(probeReplies: ProbeReplies | null = null): Promise<ScriptedBroker> {
    const endpoint = await freeEndpoint();
    const socket = newSocket();
    await socket.bind(endpoint);
    return new ScriptedBroker(endpoint, socket, probeReplies);
  }

  /** Stops this broker, and starts another at the same endpoint. */
  async restart(): Promise<ScriptedBroker> {
    await this[Symbol.asyncDispose]();
    const socket = newSocket();
    // libzmq releases the endpoint of a closed socket a moment later.
    await until("the endpoint to be free", () =>
      socket.bind(this.endpoint).then(
        () => true,
        () => false,
      ),
    );
    return new ScriptedBroker(this.endpoint, socket, this.#probeReplies);
  }

  private constructor(endpoint: string, socket: Router, probeReplies: ProbeReplies | null) {
    this.#probeReplies = probeReplies;
    this.endpoint = endpoint;
    this.#socket = socket;
    this.#reading = this.#read();
  }

  /** Sends frames to a peer. The message is dropped if that peer has gone. */
  async sends(to: string, ...frames: Frame[]) {
    await this.#socket.send([toBytes(to), ...frames.map(toBytes)]).catch((error) => {
      assert.equal(error.code, "EHOSTUNREACH");
    });
  }

  /** Sends HEARTBEAT to a peer at the interval, until the result is disposed. */
  sendingHeartbeats(to: string, intervalMs: number): Disposable {
    const timer = setInterval(() => void this.sends(to, "", "MDPW01", "\x04"), intervalMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** The next message that is no HEARTBEAT. */
  async next(): Promise<ReceivedMessage> {
    const isNew = ({ frames }: ReceivedMessage, nth: number) =>
      nth >= this.#next && !isHeartbeat(frames);
    await until("a message", () => this.received.some(isNew));
    this.#next = this.received.findIndex(isNew) + 1;
    return this.received[this.#next - 1] as ReceivedMessage;
  }

  /** Asserts the frames of the next message that is no HEARTBEAT. Returns its sender. */
  async receives(...frames: Frame[]): Promise<string> {
    const next = await this.next();
    assert.deepEqual(legible(next.frames), legible(frames));
    return next.from;
  }

  /** Forgets all messages received so far. */
  clear() {
    this.received.length = 0;
    this.#next = 0;
  }

  /** The messages that a peer has sent so far. */
  receivedFrom(from: string): ReceivedMessage[] {
    return this.received.filter((received) => received.from === from);
  }

  async [Symbol.asyncDispose]() {
    this.#socket.close();
    await this.#reading;
  }

  async #read() {
    for await (const [from, ...frames] of this.#socket) {
      const message = {
        from: (from as Buffer).toString("latin1"),
        frames: frames.map((frame) => frame.toString("latin1")),
        at: performance.now(),
      };
      if (this.#probeReplies && message.frames[2] === "mmi.service") {
        const [ready, call] = this.#probeReplies;
        const code = message.frames[3] === "mmi.ready" ? ready : call;
        await this.sends(message.from, "", "MDPC01", "mmi.service", code);
        continue;
      }
      this.received.push(message);
      this.onMessage(message);
    }
  }
}

const newSocket = () => new Router({ linger: 0, mandatory: true, sendTimeout: 0 });
