// The transport of the simulation, the third one behind the seam of transport/transport.ts: it
// promises what that page says and no more, and makes use of all that it leaves open.

import type { Address, Frame } from "../../protocol/frame.ts";
import type {
  Bound,
  BoundEvents,
  Connected,
  ConnectedEvents,
  Timing,
} from "../../transport/transport.ts";
import type { Clock } from "./clock.ts";
import { Connection, type End } from "./connection.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Sightings } from "./sometimes.ts";

export type NetworkOptions = {
  delayMs: number; // How long a message takes on average, on a connection like most.
  unreadMax: number; // How many messages a peer may leave unread.
  deaths: Deaths;
};

/** How the broker hears of a broken connection: by itself, when it sends something, or never. */
export type Deaths = "told" | "told on send" | "untold";

/** Everybody here speaks ZMTP. */
type Events = Omit<BoundEvents, "refused">;

export type Direction = "up" | "down"; // To the broker, and from it.

type Listener = {
  process: Process;
  events: Events;
  timing: Timing;
  byAddress: Map<Address, Connection>;
  addresses: number; // How many were given.
};

export class Network {
  #clock: Clock;
  #random: Random;
  #options: NetworkOptions;
  #sightings: Sightings;
  #listener: Listener | null = null;
  #connections = new Set<Connection>();
  #cut = new Set<Process>(); // In one direction at least, so that they cannot connect.
  #deaf = new Set<Process>(); // What they are sent does not reach them.
  #names = new Map<Address, string>(); // Whose each address is.

  constructor(clock: Clock, random: Random, options: NetworkOptions, sightings: Sightings) {
    this.#clock = clock;
    this.#random = random;
    this.#options = { ...options };
    this.#sightings = sightings;
  }

  /** From now on every peer takes what it is sent. */
  takeAll() {
    this.#options.unreadMax = Number.POSITIVE_INFINITY;
  }

  /** The open connections of a process, or all. */
  connections(process?: Process): Connection[] {
    const all = [...this.#connections].filter((connection) => !connection.over);
    this.#connections = new Set(all);
    return process
      ? all.filter(({ peer, broker }) => [peer.process, broker.process].includes(process))
      : all;
  }

  /** Whose address this is, or was, with the broker that is there now. */
  nameOf(address: Address): string | undefined {
    return this.#names.get(address);
  }

  /** Whether both sides of this connection are there. */
  isOpen(address: Address): boolean {
    const { peer, broker } = this.#listener?.byAddress.get(address) ?? {};
    return (peer?.open && broker?.open) ?? false;
  }

  bind(process: Process, timing: Timing, events: Events): Bound {
    const listener = { process, events, timing, byAddress: new Map(), addresses: 0 };
    this.#listener = listener;
    this.#names.clear();
    const { deaths } = this.#options;
    return {
      detectsDisconnects: deaths === "told",
      send: (to, frames) => this.#sendDown(listener, to, frames),
      close: () => this.end(process, { kept: Number.POSITIVE_INFINITY }),
    };
  }

  connect(process: Process, timing: Timing, events: ConnectedEvents): Connected {
    return new Socket(process, timing, events, this);
  }

  /** As a peer does that is not ours: it hears of no connections, and what it sends waits. */
  connectPlainly(process: Process, message: (frames: Frame[]) => void): Connected {
    const events = { opened: () => {}, message, gone: null };
    return new Socket(process, { deadAfterMs: PLAIN_DEAD_AFTER_MS }, events, this);
  }

  /** A process ends, and its connections with it; what it said arrives up to so much. */
  end(process: Process, { kept }: { kept: number }) {
    if (this.#listener?.process === process) this.#listener = null;
    for (const connection of this.connections(process)) {
      const { peer, broker } = connection;
      const end = peer.process === process ? peer : broker;
      if (end.open) connection.close(end, kept);
    }
    process.end();
  }

  /** Nothing gets through in these directions, and nobody is told. */
  cut(process: Process, directions: Direction[]) {
    this.#cut.add(process);
    for (const connection of this.connections(process)) {
      for (const direction of directions) {
        const lane = connection[direction];
        lane.cut();
        const since = lane.cutSince;
        connection.watch(lane, () => lane.cutSince === since);
      }
    }
  }

  /** It may connect and speak, and hears nothing: as if it spoke to who does not understand it. */
  deafen(process: Process) {
    this.#deaf.add(process);
    for (const { down } of this.connections(process)) down.cut();
  }

  heal(process: Process) {
    this.#cut.delete(process);
    this.#deaf.delete(process);
    for (const { up, down } of this.connections(process))
      for (const lane of [up, down]) lane.heal();
  }

  /** The process was stopped, its transport with it: those connected to it bear that so long. */
  stopped(process: Process) {
    const since = process.frozenAt;
    for (const connection of this.connections(process)) {
      const { up, down, peer } = connection;
      const lane = peer.process === process ? up : down;
      connection.watch(lane, () => since !== null && process.frozenAt === since);
    }
  }

  /** One try of a socket to connect. Null: nobody is there, or the way is cut. */
  open(process: Process, timing: Timing, events: ConnectedEvents): Connection | null {
    const listener = this.#listener;
    if (!listener?.process.running || !process.running || this.#cut.has(process)) return null;
    const address = addressOf(listener.addresses);
    listener.addresses += 1;
    const peer = { process, open: true, ...timing, ...events };
    const { message, gone } = listener.events;
    const broker: End = {
      process: listener.process,
      open: true,
      ...listener.timing,
      message: (frames) => message(address, frames),
      gone: () => {
        listener.byAddress.delete(address);
        if (this.#options.deaths === "told") gone(address);
      },
    };
    const delayMs = this.#delays();
    const connection = new Connection(address, peer, broker, this.#clock, delayMs);
    if (this.#deaf.has(process)) connection.down.cut();
    listener.byAddress.set(address, connection);
    this.#names.set(address, process.name);
    this.#connections.add(connection);
    return connection;
  }

  /** How long it takes to find out whether somebody is there. */
  handshakeMs(): number {
    return this.#options.delayMs * this.#random.between(2, 4);
  }

  /** Whether this lane can take another message. */
  takes({ unread }: { unread: number }): boolean {
    return unread < this.#options.unreadMax;
  }

  /** A socket that is closed while something comes in is reset, and its last words may be lost. */
  wordsKept({ unread }: { unread: number }): number {
    if (unread === 0 || this.#random.chance(0.5)) return Number.POSITIVE_INFINITY;
    return this.#random.whole(0, 2);
  }

  #sendDown({ process, events, byAddress }: Listener, to: Address, frames: Frame[]) {
    const connection = byAddress.get(to);
    const reachable = connection?.broker.open ?? false;
    if (connection && reachable && this.takes(connection.down)) {
      connection.down.send(frames);
    } else if (reachable || this.#options.deaths === "told on send") {
      if (reachable) this.#sightings.see("a peer did not take what it was sent");
      process.after(0, () => events.gone(to));
    }
  }

  /** Some connections are slower than others; messages of the same one differ a little. */
  #delays(): () => number {
    const { delayMs } = this.#options;
    const usual = Math.min(this.#random.around(delayMs), 3 * delayMs);
    return () => usual * this.#random.between(0.5, 1.5);
  }
}

/** Null: nobody wants to know. */
type SocketEvents = Omit<ConnectedEvents, "gone"> & { gone: (() => void) | null };

/** As a DEALER of libzmq: it connects by itself, again and again, until it is closed. */
class Socket implements Connected {
  #process: Process;
  #timing: Timing;
  #events: SocketEvents;
  #network: Network;
  #connection: Connection | null = null;
  #waiting: Frame[][] = []; // Sent before there was a connection.
  #closed = false;
  #retryMs = RETRY_MS;

  constructor(process: Process, timing: Timing, events: SocketEvents, network: Network) {
    this.#process = process;
    this.#timing = timing;
    this.#events = events;
    this.#network = network;
    this.#try(0);
  }

  send(frames: Frame[]) {
    if (this.#closed) return;
    const { up } = this.#connection ?? {};
    const takes = this.#network.takes(up ?? { unread: this.#waiting.length });
    if (!takes && this.#events.gone) this.#process.after(0, () => this.#full());
    else if (up) up.send(frames);
    else this.#waiting.push(frames);
  }

  close() {
    this.#closed = true;
    const connection = this.#connection;
    if (connection?.peer.open)
      connection.close(connection.peer, this.#network.wordsKept(connection.down));
  }

  #try(ms: number) {
    this.#process.after(ms + this.#network.handshakeMs(), () => {
      if (this.#closed) return;
      const { message } = this.#events;
      const events = { opened: () => {}, message, gone: () => this.#gone() };
      const connection = this.#network.open(this.#process, this.#timing, events);
      if (connection) this.#open(connection);
      else this.#retry();
    });
  }

  #open(connection: Connection) {
    this.#connection = connection;
    this.#retryMs = RETRY_MS;
    for (const frames of this.#waiting) connection.up.send(frames);
    this.#waiting = [];
    this.#events.opened();
  }

  #retry() {
    this.#try(this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
  }

  #gone() {
    this.#connection = null;
    this.#events.gone?.();
    if (!this.#closed) this.#retry();
  }

  #full() {
    if (!this.#closed) this.#events.gone?.();
  }
}

/** As libzmq does, which begins with the same one in each of its lives. */
const addressOf = (nth: number): Address => {
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE((FIRST_ADDRESS + nth) >>> 0, 1);
  return frame.toString("latin1");
};

const FIRST_ADDRESS = 0x6b8b4567;
const PLAIN_DEAD_AFTER_MS = 30_000;
const RETRY_MS = 100;
const RETRY_MS_MAX = 1000;
