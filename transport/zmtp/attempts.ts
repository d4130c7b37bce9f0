// Connects to the first address of a host that answers (8305/RFC, Happy Eyeballs): an address that
// does not answer soon is tried beside the next one.

import { connect, type NetConnectOpts, type Socket } from "node:net";
import { timedOut } from "./timed-out.ts";

export type AttemptsEvents = {
  /** The first connection. All others are closed. */
  connected(socket: Socket): void;
  /** No address can be reached. `error` is that of the last attempt that ended. */
  failed(error: NodeJS.ErrnoException): void;
};

export class Attempts {
  #rest: NetConnectOpts[];
  #events: AttemptsEvents;
  #open = new Set<Socket>();
  #next: NodeJS.Timeout | undefined;
  #keepsRunning = true;

  /** `addresses` has at least one. */
  constructor(addresses: NetConnectOpts[], events: AttemptsEvents) {
    this.#rest = [...addresses];
    this.#events = events;
    this.#begin();
  }

  /** Gives up. No events come any more. */
  close() {
    clearTimeout(this.#next);
    this.#rest = [];
    for (const socket of this.#open) socket.destroy();
    this.#open.clear();
  }

  /** Whether the attempts keep the process running; true at first. */
  hold(keepsRunning: boolean) {
    this.#keepsRunning = keepsRunning;
    for (const each of [...this.#open, this.#next]) keepsRunning ? each?.ref() : each?.unref();
  }

  #begin() {
    clearTimeout(this.#next);
    const address = this.#rest.shift();
    if (!address) return;
    const socket = connect(address);
    if (!this.#keepsRunning) socket.unref();
    this.#open.add(socket);
    const ended = (error: NodeJS.ErrnoException) => this.#ended(socket, error);
    socket.once("error", ended);
    socket.setTimeout(CONNECT_MS, () =>
      socket.destroy(timedOut(`no connection within ${CONNECT_MS} ms`)),
    );
    socket.once("connect", () => {
      if (!this.#open.delete(socket)) return;
      this.close();
      socket.setTimeout(0);
      socket.off("error", ended);
      this.#events.connected(socket);
    });
    if (this.#rest.length === 0) return;
    this.#next = setTimeout(() => this.#begin(), NEXT_ADDRESS_MS);
    if (!this.#keepsRunning) this.#next.unref();
  }

  #ended(socket: Socket, error: NodeJS.ErrnoException) {
    if (!this.#open.delete(socket)) return; // It was closed by close().
    if (this.#rest.length > 0) this.#begin();
    else if (this.#open.size === 0) this.#events.failed(error);
  }
}

/** The longest attempt to connect to one address, in ms. */
const CONNECT_MS = 1000;

/** An attempt at the next address begins after this many ms (8305/RFC, 5: Connection Attempt Delay). */
const NEXT_ADDRESS_MS = 250;
