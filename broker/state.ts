// What the broker knows: services and workers, and in request.ts requests. The rules are in broker.ts.

import { type Node, Yallist } from "yallist";
import type { Dialect } from "../protocol/dialects.ts";
import { type Address, type Frame, sizeOf } from "../protocol/frame.ts";
import { Numbered } from "../protocol/numbered.ts";
import type { ServiceFigures } from "./figures.ts";
import { owned } from "./parcel.ts";
import { RequestQueue } from "./queue.ts";
import type { Request } from "./request.ts";

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

/** received = answered + refused + expired + quarantined + clientGone + queued + inFlight. */
export type Counts = {
  received: number; // Requests, since the broker started.
  answered: number;
  refused: number; // Malformed, beyond a bound, its reply broke off, or the broker was ending.
  expired: number;
  quarantined: number;
  clientGone: number;
  queued: number; // Now.
  inFlight: number; // Now.
  retried: number; // Calls asked again under their id, which is not another request.
  requeued: number; // How often a request went back to its queue.
  repliesDropped: number;
  messagesDropped: number;
  workers: number; // Now.
  services: number; // Now.
};

export type Service = {
  name: string; // The bytes of the name, a character a byte.
  frame: Frame; // The name as it goes over the wire.
  figures: ServiceFigures; // Where what is to come is counted.
  queue: RequestQueue; // What waits for a worker.
  open: number; // How many requests are queued or in flight.
  workers: number; // How many there are, whatever they are doing.
  waiting: Yallist<Worker>; // Those with nothing to do, longest idle first.
  spare: Yallist<Worker>; // Those at work that have credit left, served longest ago first.
};

export type Worker = {
  address: Address;
  dialect: Dialect; // What its READY spoke.
  service: Service;
  credit: number; // How many requests it takes at once.
  plain: boolean; // A 7/MDP worker: it announced no credit.
  holds: Numbered<Request>; // What it was given and has not answered, by their ids.
  last: { id: number; client: Address } | null; // Plain: what it was given last, and as whose.
  seat: Node<Worker> | null; // Its place in `waiting` or `spare`.
  expiry: number; // When to consider it gone.
  lease: Node<Worker> | null; // Its place among all workers, by expiry.
  heartbeatAt: number; // When to send it a HEARTBEAT.
  beat: Node<Worker> | null; // Its place among all workers, by heartbeatAt.
};

export function newService(name: Frame, figures: ServiceFigures): Service {
  const [frame = name] = owned([name]);
  return {
    name: nameOf(frame),
    frame,
    figures,
    queue: new RequestQueue(),
    open: 0,
    workers: 0,
    waiting: new Yallist(),
    spare: new Yallist(),
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
  holds: new Numbered(),
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
