// A peer on the wire: a ZeroMQ socket that says and hears frames as the RFCs write them, byte for
// byte. The project's own codec is not used here, so that the two cannot be wrong together.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Dealer, type Request } from "zeromq";
import { disappointed, patienceMs } from "../until.ts";

/** Bytes; in a string, a character each. */
export type Frame = string | Buffer;

/** A way to write MDP/Worker: what goes before the command, and the commands. */
export type Dialect = {
  name: string;
  start: string[];
  READY: string;
  REQUEST: string;
  REPLY: string; // Of 18/MDP, its FINAL.
  HEARTBEAT: string;
  DISCONNECT: string;
  ask: string[]; // What its speaker asks the broker with: the start of a REQUEST of a client's.
  answer: string[]; // What the broker answers that with.
};

export const BYTES: Dialect = {
  name: "0.1",
  start: ["", "MDPW01"],
  READY: "\x01",
  REQUEST: "\x02",
  REPLY: "\x03",
  HEARTBEAT: "\x04",
  DISCONNECT: "\x05",
  ask: ["", "MDPC01"],
  answer: ["", "MDPC01"],
};

export const WORDS: Dialect = {
  ...BYTES,
  name: "words",
  READY: "READY",
  REQUEST: "REQUEST",
  REPLY: "REPLY",
  HEARTBEAT: "HEARTBEAT",
  DISCONNECT: "DISCONNECT",
};

export const V02: Dialect & { PARTIAL: string } = {
  name: "0.2",
  start: ["MDPW02"],
  READY: "\x01",
  REQUEST: "\x02",
  PARTIAL: "\x03",
  REPLY: "\x04",
  HEARTBEAT: "\x05",
  DISCONNECT: "\x06",
  ask: ["MDPC02", "\x01"],
  answer: ["MDPC02", "\x03"],
};

export const DIALECTS: Dialect[] = [BYTES, WORDS, V02];

export class Peer implements Disposable {
  readonly dialect: Dialect;
  #socket: Dealer | Request;

  constructor(endpoint: string, dialect = BYTES, socket: Dealer | Request = new Dealer()) {
    this.dialect = dialect;
    this.#socket = socket;
    socket.linger = 0;
    socket.connect(endpoint);
  }

  says(...frames: Frame[]): Promise<void> {
    return this.#socket.send(frames.map(toBytes));
  }

  /** The next message, whatever it is. */
  async hearsAny(deadline = performance.now() + patienceMs()): Promise<string[]> {
    for (;;) {
      const leftMs = Math.ceil(deadline - performance.now());
      if (leftMs <= 0) throw disappointed("nothing was heard");
      this.#socket.receiveTimeout = leftMs;
      try {
        const frames = await this.#socket.receive();
        return frames.map((frame) => frame.toString("latin1"));
      } catch (error) {
        // A REQ socket also says so when it has dropped a reply that was not to its last request.
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      }
    }
  }

  /** The next message that is no HEARTBEAT: the broker sends those when it likes. */
  async next(): Promise<string[]> {
    const deadline = performance.now() + patienceMs();
    for (;;) {
      const frames = await this.hearsAny(deadline);
      if (!isHeartbeat(frames)) return frames;
    }
  }

  /** The next message that is no HEARTBEAT has these frames. */
  async hears(...frames: Frame[]) {
    assert.deepEqual(legible(await this.next()), legible(frames));
  }

  /** Whatever was said here before is handled, and nothing was sent here but what was heard. */
  async hearsNothing() {
    await this.learns(nobody(), "404");
  }

  /** mmi.service says so of this service. All that was said here before is handled by then. */
  async learns(service: string, code: "200" | "404") {
    const { ask, answer } = this.dialect;
    await this.says(...ask, "mmi.service", service);
    await this.hears(...answer, "mmi.service", code);
  }

  /** A REQUEST to this worker: the client frame in it, and the body. */
  async request(): Promise<{ client: string; body: string[] }> {
    const { start, REQUEST } = this.dialect;
    const frames = await this.next();
    const [client = "", delimiter, ...body] = frames.slice(start.length + 1);
    assert.deepEqual(frames.slice(0, start.length + 1), [...start, REQUEST], "no REQUEST");
    assert.ok(client.length > 0, "no client frame");
    assert.equal(delimiter, "", "no empty frame after the client's");
    return { client, body };
  }

  /** A REQUEST with this body. Gives back the client frame. */
  async isAsked(...body: Frame[]): Promise<string> {
    const request = await this.request();
    assert.deepEqual(legible(request.body), legible(body));
    return request.client;
  }

  /** Sends a command of this worker's dialect. */
  async commands(command: Command, ...frames: Frame[]) {
    await this.says(...this.dialect.start, this.dialect[command], ...frames);
  }

  async replies(client: Frame, ...body: Frame[]) {
    await this.commands("REPLY", client, "", ...body);
  }

  async isDisconnected() {
    await this.hears(...this.dialect.start, this.dialect.DISCONNECT);
  }

  [Symbol.dispose]() {
    this.#socket.close();
  }
}

export type Command = "READY" | "REQUEST" | "REPLY" | "HEARTBEAT" | "DISCONNECT";

/** A name that no other case has. */
export const someone = (name = "service") => `${name}-${randomBytes(6).toString("hex")}`;
export const nobody = () => someone("nobody");

/** So that a frame of a megabyte does not fill the screen. */
export function legible(frames: Frame[]): string[] {
  return frames.map((frame) => {
    const bytes = toBytes(frame);
    if (bytes.length <= 256) return bytes.toString("latin1");
    return `${bytes.length} bytes, ${createHash("sha256").update(bytes).digest("hex")}`;
  });
}

export const isHeartbeat = (frames: string[]) =>
  DIALECTS.some(({ start, HEARTBEAT }) => same(frames, [...start, HEARTBEAT]));

export const same = (one: string[], other: string[]) =>
  one.length === other.length && one.every((frame, nth) => frame === other[nth]);

export const toBytes = (frame: Frame) =>
  typeof frame === "string" ? Buffer.from(frame, "latin1") : frame;
