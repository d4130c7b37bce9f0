// A ZeroMQ socket that sends and receives frames byte for byte, as the RFCs write them. It does not
// use the project's codec, so a mistake in that codec cannot hide itself.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Dealer, type Request } from "zeromq";
import { timedOut, waitLimitMs } from "../until.ts";

/** Bytes. In a string each character is one byte. */
export type Frame = string | Buffer;

/** The frames of one dialect of MDP. */
export type Dialect = {
  name: "0.1" | "text" | "0.2";
  start: string[]; // The frames before a worker's command.
  READY: string;
  REQUEST: string;
  REPLY: string; // FINAL in 18/MDP.
  HEARTBEAT: string;
  DISCONNECT: string;
  requestStart: string[]; // The frames before the service in a client's REQUEST.
  replyStart: string[]; // The same in the broker's REPLY or FINAL.
};

export const V01: Dialect = {
  name: "0.1",
  start: ["", "MDPW01"],
  READY: "\x01",
  REQUEST: "\x02",
  REPLY: "\x03",
  HEARTBEAT: "\x04",
  DISCONNECT: "\x05",
  requestStart: ["", "MDPC01"],
  replyStart: ["", "MDPC01"],
};

export const TEXT: Dialect = {
  ...V01,
  name: "text",
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
  requestStart: ["MDPC02", "\x01"],
  replyStart: ["MDPC02", "\x03"],
};

export const DIALECTS: Dialect[] = [V01, TEXT, V02];

export class RawPeer implements Disposable {
  readonly dialect: Dialect;
  #socket: Dealer | Request;

  constructor(endpoint: string, dialect = V01, socket: Dealer | Request = new Dealer()) {
    this.dialect = dialect;
    this.#socket = socket;
    socket.linger = 0;
    socket.connect(endpoint);
  }

  sends(...frames: Frame[]): Promise<void> {
    return this.#socket.send(frames.map(toBytes));
  }

  /** The next message, HEARTBEAT included. */
  async receivesAny(deadline = performance.now() + waitLimitMs()): Promise<string[]> {
    for (;;) {
      const leftMs = Math.ceil(deadline - performance.now());
      if (leftMs <= 0) throw timedOut("no message arrived");
      this.#socket.receiveTimeout = leftMs;
      try {
        const frames = await this.#socket.receive();
        return frames.map((frame) => frame.toString("latin1"));
      } catch (error) {
        // A REQ socket also fails with EAGAIN when it drops a reply to an earlier request.
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      }
    }
  }

  /** The next message that is no HEARTBEAT. */
  async next(): Promise<string[]> {
    const deadline = performance.now() + waitLimitMs();
    for (;;) {
      const frames = await this.receivesAny(deadline);
      if (!isHeartbeat(frames)) return frames;
    }
  }

  /** Asserts the frames of the next message that is no HEARTBEAT. */
  async receives(...frames: Frame[]) {
    assert.deepEqual(legible(await this.next()), legible(frames));
  }

  /** Asserts that no message is pending, once the broker has handled all that this peer sent. */
  async receivesNothing() {
    await this.findsService(unservedName(), "404");
  }

  /** Asserts the reply of mmi.service. The broker has then handled all that this peer sent. */
  async findsService(service: string, code: "200" | "404") {
    const { requestStart, replyStart } = this.dialect;
    await this.sends(...requestStart, "mmi.service", service);
    await this.receives(...replyStart, "mmi.service", code);
  }

  /** The next REQUEST to this worker: its client address frame, and the body. */
  async request(): Promise<{ client: string; body: string[] }> {
    const { start, REQUEST } = this.dialect;
    const frames = await this.next();
    const [client = "", delimiter, ...body] = frames.slice(start.length + 1);
    assert.deepEqual(frames.slice(0, start.length + 1), [...start, REQUEST], "no REQUEST");
    assert.ok(client.length > 0, "no client address");
    assert.equal(delimiter, "", "no empty frame after the client address");
    return { client, body };
  }

  /** Asserts the body of the next REQUEST. Returns its client address frame. */
  async receivesRequest(...body: Frame[]): Promise<string> {
    const request = await this.request();
    assert.deepEqual(legible(request.body), legible(body));
    return request.client;
  }

  /** Sends a command in this worker's dialect. */
  async sendsCommand(command: Command, ...frames: Frame[]) {
    await this.sends(...this.dialect.start, this.dialect[command], ...frames);
  }

  async sendsReply(client: Frame, ...body: Frame[]) {
    await this.sendsCommand("REPLY", client, "", ...body);
  }

  async receivesDisconnect() {
    await this.receives(...this.dialect.start, this.dialect.DISCONNECT);
  }

  [Symbol.dispose]() {
    this.#socket.close();
  }
}

export type Command = "READY" | "REQUEST" | "REPLY" | "HEARTBEAT" | "DISCONNECT";

/** A name that no other test uses. */
export const uniqueName = (name = "service") => `${name}-${randomBytes(6).toString("hex")}`;
export const unservedName = () => uniqueName("nobody");

/** Frames for an assertion: a long frame is shown by its length and hash. */
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
