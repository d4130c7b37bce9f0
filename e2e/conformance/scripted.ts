// A broker that says what a case tells it to say: a bare ROUTER, to which our own peers connect.

import assert from "node:assert/strict";
import { Router } from "zeromq";
import { freeEndpoint } from "../processes/program.ts";
import { until } from "../until.ts";
import { type Frame, isHeartbeat, legible, toBytes } from "./wire.ts";

export type Heard = { from: string; frames: string[]; at: number };

export class ScriptedBroker implements AsyncDisposable {
  readonly endpoint: string;
  readonly heard: Heard[] = []; // All of it, in the order in which it came.
  reflex: (heard: Heard) => void = () => {}; // What it does whenever something comes.
  #next = 0; // Which of that was not asked for yet.
  #socket: Router;
  #reading: Promise<void>;

  static async start(): Promise<ScriptedBroker> {
    const endpoint = await freeEndpoint();
    const socket = newSocket();
    await socket.bind(endpoint);
    return new ScriptedBroker(endpoint, socket);
  }

  /** Ends it, and starts another in its place. */
  async restarts(): Promise<ScriptedBroker> {
    await this[Symbol.asyncDispose]();
    const socket = newSocket();
    // A closed socket gives its endpoint back when libzmq comes to it.
    await until("the endpoint to be free", () =>
      socket.bind(this.endpoint).then(
        () => true,
        () => false,
      ),
    );
    return new ScriptedBroker(this.endpoint, socket);
  }

  private constructor(endpoint: string, socket: Router) {
    this.endpoint = endpoint;
    this.#socket = socket;
    this.#reading = this.#read();
  }

  /** To a peer that may have gone: then it is said to nobody. */
  async says(to: string, ...frames: Frame[]) {
    await this.#socket.send([toBytes(to), ...frames.map(toBytes)]).catch((error) => {
      assert.equal(error.code, "EHOSTUNREACH");
    });
  }

  /** Has HEARTBEAT sent to this peer, until what is returned is disposed of. */
  beating(to: string, intervalMs: number): Disposable {
    const timer = setInterval(() => void this.says(to, "", "MDPW01", "\x04"), intervalMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** The next message that is no HEARTBEAT. */
  async next(): Promise<Heard> {
    const isNews = ({ frames }: Heard, nth: number) => nth >= this.#next && !isHeartbeat(frames);
    await until("a message", () => this.heard.some(isNews));
    this.#next = this.heard.findIndex(isNews) + 1;
    return this.heard[this.#next - 1] as Heard;
  }

  /** The next message that is no HEARTBEAT has these frames. Gives back whose it is. */
  async hears(...frames: Frame[]): Promise<string> {
    const next = await this.next();
    assert.deepEqual(legible(next.frames), legible(frames));
    return next.from;
  }

  /** What has been heard so far was a prelude. */
  forgets() {
    this.heard.length = 0;
    this.#next = 0;
  }

  /** What this peer has said so far. */
  of(from: string): Heard[] {
    return this.heard.filter((heard) => heard.from === from);
  }

  async [Symbol.asyncDispose]() {
    this.#socket.close();
    await this.#reading;
  }

  async #read() {
    for await (const [from, ...frames] of this.#socket) {
      const heard = {
        from: (from as Buffer).toString("latin1"),
        frames: frames.map((frame) => frame.toString("latin1")),
        at: performance.now(),
      };
      this.heard.push(heard);
      this.reflex(heard);
    }
  }
}

const newSocket = () => new Router({ linger: 0, mandatory: true, sendTimeout: 0 });
