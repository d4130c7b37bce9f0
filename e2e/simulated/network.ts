// The transport of the simulation, the third one with the interface of transport/transport.ts. It
// promises only what that file promises, and uses every freedom that the file leaves.

import { type Address, type Frame, UNKNOWN_PEER } from "../../protocol/frame.ts";
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
  delayMs: number; // The mean delay of a message on a typical connection.
  unreadMax: number; // The number of messages that a peer may leave unread.
  disconnectDetection: DisconnectDetection;
};

/** When the broker notices a broken connection: at once, when it sends something, or never. */
export type DisconnectDetection = "at once" | "on send" | "never";

/** Every simulated peer speaks ZMTP, so the transport refuses none. */
type Events = Omit<BoundEvents, "refused">;

export type Direction = "up" | "down"; // Peer to broker, and broker to peer.

type Listener = {
  process: Process;
  events: Events;
  timing: Timing;
  byAddress: Map<Address, Connection>;
  addresses: number; // The number of addresses assigned.
};

export class Network {
  #clock: Clock;
  #random: Random;
  #options: NetworkOptions;
  #sightings: Sightings;
  #listener: Listener | null = null;
  #connections = new Set<Connection>();
  // Cut in at least one direction, so that these processes cannot connect.
  #cut = new Set<Process>();
  #inboundBlocked = new Set<Process>(); // Processes that receive nothing.
  #names = new Map<Address, string>(); // The process name of each address.

  constructor(clock: Clock, random: Random, options: NetworkOptions, sightings: Sightings) {
    this.#clock = clock;
    this.#random = random;
    this.#options = { ...options };
    this.#sightings = sightings;
  }

  /** From now on every peer reads the messages sent to it. */
  takeAll() {
    this.#options.unreadMax = Number.POSITIVE_INFINITY;
  }

  /** Returns the open connections of a process, or of all processes. */
  connections(process?: Process): Connection[] {
    const all = [...this.#connections].filter((connection) => !connection.over);
    this.#connections = new Set(all);
    return process
      ? all.filter(({ peer, broker }) => [peer.process, broker.process].includes(process))
      : all;
  }

  /**
   * Returns the process name of an address of the current broker, also after its connection broke.
   */
  nameOf(address: Address): string | undefined {
    return this.#names.get(address);
  }

  /** Returns whether both sides of the connection are open. */
  isOpen(address: Address): boolean {
    const { peer, broker } = this.#listener?.byAddress.get(address) ?? {};
    return (peer?.open && broker?.open) ?? false;
  }

  bind(process: Process, timing: Timing, events: Events): Bound {
    const listener = { process, events, timing, byAddress: new Map(), addresses: 0 };
    this.#listener = listener;
    this.#names.clear();
    const { disconnectDetection } = this.#options;
    return {
      endpoint: "simulated",
      detectsDisconnects: disconnectDetection === "at once",
      send: (to, frames) => this.#sendDown(listener, to, frames),
      close: () => this.end(process, { kept: Number.POSITIVE_INFINITY }),
    };
  }

  connect(process: Process, timing: Timing, events: ConnectedEvents): Connected {
    return new Socket(process, timing, events, this);
  }

  /**
   * Connects like a foreign peer: it gets no connection events, and its messages wait for a
   * connection.
   */
  connectPlainly(process: Process, message: (frames: Frame[]) => void): Connected {
    const events = { opened: () => {}, message, gone: null, failed: () => {} };
    return new Socket(process, { deadAfterMs: PLAIN_DEAD_AFTER_MS }, events, this);
  }

  /**
   * Ends a process and its connections; of its last messages, the first `kept` per connection
   * arrive.
   */
  end(process: Process, { kept }: { kept: number }) {
    if (this.#listener?.process === process) this.#listener = null;
    for (const connection of this.connections(process)) {
      const { peer, broker } = connection;
      const end = peer.process === process ? peer : broker;
      if (end.open) connection.close(end, kept);
    }
    process.end();
  }

  /** No message passes in these directions, and neither side gets an event. */
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

  /**
   * The process may connect and send but receives nothing, as from a broker that ignores its
   * messages.
   */
  blockInbound(process: Process) {
    this.#inboundBlocked.add(process);
    for (const { down } of this.connections(process)) down.cut();
  }

  heal(process: Process) {
    this.#cut.delete(process);
    this.#inboundBlocked.delete(process);
    for (const { up, down } of this.connections(process))
      for (const lane of [up, down]) lane.heal();
  }

  /** The process and its transport are stopped; its peers give up after their `deadAfterMs`. */
  stopped(process: Process) {
    const since = process.frozenAt;
    for (const connection of this.connections(process)) {
      const { up, down, peer } = connection;
      const lane = peer.process === process ? up : down;
      connection.watch(lane, () => since !== null && process.frozenAt === since);
    }
  }

  /** Tries to connect once. Returns null if no broker listens or the link is cut. */
  open(process: Process, timing: Timing, events: Pick<End, "message" | "gone">): Connection | null {
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
      message: (frames) => message(address, frames, UNKNOWN_PEER),
      gone: () => {
        listener.byAddress.delete(address);
        if (this.#options.disconnectDetection === "at once") gone(address);
      },
    };
    const delayMs = this.#delays();
    const connection = new Connection(address, peer, broker, this.#clock, delayMs);
    if (this.#inboundBlocked.has(process)) connection.down.cut();
    listener.byAddress.set(address, connection);
    this.#names.set(address, process.name);
    this.#connections.add(connection);
    return connection;
  }

  /** Returns the ms until a socket learns whether a broker listens. */
  handshakeMs(): number {
    return this.#options.delayMs * this.#random.between(2, 4);
  }

  /** Returns whether the lane can take another message. */
  takes({ unread }: { unread: number }): boolean {
    return unread < this.#options.unreadMax;
  }

  /** A socket that closes while messages arrive is reset, and its last messages may be lost. */
  wordsKept({ unread }: { unread: number }): number {
    if (unread === 0 || this.#random.chance(0.5)) return Number.POSITIVE_INFINITY;
    return this.#random.whole(0, 2);
  }

  #sendDown({ process, events, byAddress }: Listener, to: Address, frames: Frame[]) {
    const connection = byAddress.get(to);
    const reachable = connection?.broker.open ?? false;
    if (connection && reachable && this.takes(connection.down)) {
      connection.down.send(frames);
    } else if (reachable || this.#options.disconnectDetection === "on send") {
      if (reachable) this.#sightings.see("a peer did not read the messages sent to it");
      process.after(0, () => events.gone(to));
    }
  }

  /**
   * Returns delays for one connection: connections differ much, messages of one connection little.
   */
  #delays(): () => number {
    const { delayMs } = this.#options;
    const usual = Math.min(this.#random.around(delayMs), 3 * delayMs);
    return () => usual * this.#random.between(0.5, 1.5);
  }
}

/** `gone` is null for peers that get no connection events. */
type SocketEvents = Omit<ConnectedEvents, "gone"> & { gone: (() => void) | null };

/** Reconnects by itself until it is closed, as a DEALER of libzmq does. */
class Socket implements Connected {
  #process: Process;
  #timing: Timing;
  #events: SocketEvents;
  #network: Network;
  #connection: Connection | null = null;
  #waiting: Frame[][] = []; // Messages sent before there was a connection.
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
      const events = { message, gone: () => this.#gone() };
      const connection = this.#network.open(this.#process, this.#timing, events);
      if (connection) this.#open(connection);
      else {
        this.#events.failed({ code: "ECONNREFUSED", message: "refused", retryMs: this.#retryMs });
        if (!this.#closed) this.#retry();
      }
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

/** Like libzmq, each incarnation of the broker begins with the same address. */
const addressOf = (nth: number): Address => {
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE((FIRST_ADDRESS + nth) >>> 0, 1);
  return frame.toString("latin1");
};

const FIRST_ADDRESS = 0x6b8b4567;
const PLAIN_DEAD_AFTER_MS = 30_000;
const RETRY_MS = 100;
const RETRY_MS_MAX = 1000;
