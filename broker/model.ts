// What the broker knows: services and workers, and in request.ts requests. The rules are in broker.ts.

import { type Node, Yallist } from "yallist";
import { MapByNumber } from "../collections/map-by-number.ts";
import type { Dialect } from "../protocol/dialects.ts";
import { type Address, type Frame, sizeOf } from "../protocol/frame.ts";
import { bodyOf, envelopeOf, owned, type PackedMessage } from "./packed-message.ts";
import { RequestQueue, type Turn } from "./queue.ts";
import type { ServiceStats } from "./stats.ts";
import type { Bucket } from "./timer-wheel.ts";

export type Limits = {
  requestTtlMs: number; // How long a request may be open, if it does not say so itself.
  deliveriesMax: number; // How many workers a request may be lost with.
  queueMax: number; // How many requests may be open in one service.
  queueBytesMax: number; // How much all open requests may weigh together, in bytes.
  servicesMax: number; // How many services there may be.
  messageBytesMax: number; // How large a message may be.
  outcomesMax: number; // Of how many ended calls the outcome is remembered.
  outcomesBytesMax: number; // How much these may weigh together, in bytes.
  outcomesMs: number; // For how long.
  drainMs: number; // How long a broker that is to end waits for what is in flight.
};

export type Service = {
  name: string; // The bytes of the name, a character a byte.
  frame: Frame; // The name as it goes over the wire.
  stats: ServiceStats; // Where what is to come is counted.
  queue: RequestQueue<Request>; // What waits for a worker.
  open: number; // How many requests are queued or in flight.
  workers: number; // How many there are, whatever they are doing.
  idle: Yallist<Worker>; // Those with nothing to do, longest idle first.
  withCredit: Yallist<Worker>; // Those at work that have credit left, served longest ago first.
};

export type Worker = {
  address: Address;
  dialect: Dialect; // What its READY spoke.
  service: Service;
  credit: number; // How many requests it takes at once.
  plain: boolean; // A 7/MDP worker: it announced no credit.
  inFlight: MapByNumber<Request>; // What it was given and has not answered, by their ids.
  last: { id: number; client: Address } | null; // Plain: what it was given last, and as whose.
  seat: Node<Worker> | null; // Its place in `waiting` or `spare`.
  expiry: number; // When to consider it gone.
  lease: Node<Worker> | null; // Its place among all workers, by expiry.
  heartbeatAt: number; // When to send it a HEARTBEAT.
  beat: Node<Worker> | null; // Its place among all workers, by heartbeatAt.
};

/** Who waits for an outcome, and what goes before it. */
export type ReplyTo = { client: Address; dialect: Dialect; envelope: Frame[] };

/** What a call has that a plain request has not. */
export type CallState = {
  id: string | null; // What its client calls it, so that it can ask again.
  expiry: number; // When to give up on it.
  previousReplyTo: ReplyTo | null; // Who asked before, and waits again should whoever asked last go away.
};

/** What has become of a request that a worker was given. */
export type Delivery = {
  worker: Worker | null; // Who has it, if it is not queued.
  deliveries: number; // How many workers have been given it.
  isolated: boolean; // One more loss is one too many: it shares its worker with no other request.
  requeuedAt: number | null; // When it was last put back into the queue.
};

/** All requests that no worker was given yet have this in common. */
export const NOT_DELIVERED: Readonly<Delivery> = {
  worker: null,
  deliveries: 0,
  isolated: false,
  requeuedAt: null,
};

/** What has come of a reply. */
export type Parts = { frames: Frame[]; weight: number };

/** All requests of whose reply nothing has come have this in common. */
export const NO_PARTS: Readonly<Parts> = { frames: [], weight: 0 };

type NewRequest = Pick<Request, "id" | "client" | "dialect" | "packed" | "call" | "service"> &
  Pick<Request, "weight" | "receivedAt">;

export class Request {
  readonly id: number; // In the order of arrival.
  client: Address | null; // Who waits for the outcome. Null: nobody, until the call is retried.
  dialect: Dialect; // What the client spoke.
  packed: PackedMessage; // What goes before the outcome, and what its worker is given.
  readonly call: CallState | null; // Asked through mmi.call, so that its client is told any outcome.
  readonly service: Service;
  readonly stats: ServiceStats; // Where it is counted, from first to last.
  weight: number; // What it costs to keep, in bytes.
  readonly receivedAt: number;
  delivery: Delivery = NOT_DELIVERED;
  streaming = false; // Its client has been sent a part of the reply.
  parts: Parts | null = NO_PARTS; // What is to be told later of its reply. Null: it was too much.
  settled = false; // It had its outcome; a worker may still be busy with it.
  turn: Turn<Request> | null = null; // Where it waits for a worker.
  turnBefore: Request | null = null;
  turnAfter: Request | null = null;
  bucket: Bucket<Request> | null = null; // Where it waits for its expiry.
  bucketBefore: Request | null = null;
  bucketAfter: Request | null = null;
  clientBefore: Request | null = null; // Among those that its client waits for.
  clientAfter: Request | null = null;

  constructor(asked: NewRequest) {
    this.id = asked.id;
    this.client = asked.client;
    this.dialect = asked.dialect;
    this.packed = asked.packed;
    this.call = asked.call;
    this.service = asked.service;
    this.stats = asked.service.stats;
    this.weight = asked.weight;
    this.receivedAt = asked.receivedAt;
  }

  /** What its client calls it, so that it can ask again. */
  get callId(): string | null {
    return this.call?.id ?? null;
  }

  get envelope(): Frame[] {
    return envelopeOf(this.packed);
  }

  get body(): Frame[] {
    return bodyOf(this.packed);
  }

  /** When it was last put into the queue. */
  get queuedAt(): number {
    return this.delivery.requeuedAt ?? this.receivedAt;
  }
}

export function newService(name: Frame, stats: ServiceStats): Service {
  const [frame = name] = owned([name]);
  return {
    name: nameOf(frame),
    frame,
    stats,
    queue: new RequestQueue<Request>(),
    open: 0,
    workers: 0,
    idle: new Yallist(),
    withCredit: new Yallist(),
  };
}

export const newWorker = (
  address: Address,
  dialect: Dialect,
  service: Service,
  credit: number | null,
): Worker => ({
  address,
  dialect,
  service,
  credit: credit ?? 1,
  plain: credit === null,
  inFlight: new MapByNumber(),
  last: null,
  seat: null,
  expiry: 0,
  lease: null,
  heartbeatAt: 0,
  beat: null,
});

/** What these frames of a request cost to keep, in bytes, with the request itself. */
export const weigh = (frames: Frame[]) => REQUEST_WEIGHT + weighFrames(frames);

/** The same, without what the request itself costs. */
export const weighFrames = (frames: Frame[]) => FRAME_WEIGHT * frames.length + sizeOf(frames);

const REQUEST_WEIGHT = 256;
const FRAME_WEIGHT = 64;

/** Peers choose names and addresses: they are kept a character a byte, and told as text or hex. */
export const nameOf = (frame: Frame) => frame.toString("latin1");
export const bytesOf = (name: string): Frame => Buffer.from(name, "latin1");
export const hexOf = (address: Address) => bytesOf(address).toString("hex");
export const textOf = ({ frame }: Service) => frame.toString("utf8");
