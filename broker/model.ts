// The data types of the broker: services, workers and requests. The comment of a field names the
// files that change it; a field without a file keeps its first value. Times are in ms of the clock
// that main.ts passes in; sizes and weights are in bytes.

import { IntrusiveList } from "../collections/intrusive-list.ts";
import { MapByNumber } from "../collections/map-by-number.ts";
import type { Dialect } from "../protocol/dialects.ts";
import type { Address, Frame, PeerInfo } from "../protocol/frame.ts";
import type { WorkerCommand } from "../protocol/mdp.ts";
import { owned } from "../protocol/owned.ts";
import type { About } from "../protocol/ready.ts";
import type { CallExtras } from "./call-extras.ts";
import { type DeliveryState, NOT_DELIVERED } from "./delivery-state.ts";
import { nameOf } from "./names.ts";
import { bodyOf, envelopeOf, type PackedMessage } from "./packed-message.ts";
import { NO_PARTS, type Parts } from "./parts.ts";
import { type Lane, RequestQueue } from "./queue.ts";
import type { ServiceStats } from "./stats.ts";
import type { Standing, Trouble } from "./suspicion.ts";
import type { CallTerms } from "./terms.ts";
import type { Bucket } from "./timer-wheel.ts";

/** The command with which a worker registers. */
export type Ready = Extract<WorkerCommand, { name: "READY" }>;

/** A service exists while it has a worker or an open request. */
export type Service = {
  /** The name, one character per byte: the key of all maps. */
  name: string;
  /** The name as it stands in messages. */
  frame: Frame;
  /** The counters for its next requests and workers. Changed by admission.ts. */
  stats: ServiceStats;
  /** The requests that wait for a worker. Changed by delivery.ts and requests.ts. */
  queue: RequestQueue<Request>;
  /** The number of open requests, queued or in flight. Changed by requests.ts. */
  open: number;
  /** The number of its workers. Changed by workers.ts. */
  workers: number;
  /** When a worker last registered, in ms; -Infinity for never. Changed by workers.ts. */
  registeredAt: number;
  /** Workers with nothing in flight, idle for longest first. Changed by workers.ts. */
  idle: IntrusiveList<Worker>;
  /** Busy workers with credit, least recently served first. Changed by workers.ts. */
  withCredit: IntrusiveList<Worker>;
  /** It is among the services without a worker; its neighbours there. Changed by services.ts. */
  wanted: boolean;
  wantedBefore: Service | null;
  wantedAfter: Service | null;
  /** The recent deaths of its workers; null for none. Changed by isolation.ts. */
  trouble: Trouble<Worker> | null;
};

/** A worker exists from its READY until the broker removes it. */
export type Worker = {
  /** The transport's address of its connection. */
  address: Address;
  /** The name of its key, and its IP address and port for the log. */
  peer: PeerInfo;
  /** The dialect of its READY. All commands in both directions have this dialect. */
  dialect: Dialect;
  /** 7/MDP: a worker serves one service. */
  service: Service;
  /** The most requests that it may have in flight; 1 for a plain worker. */
  credit: number;
  /** A plain 7/MDP worker: its READY has no credit, and its REQUESTs have client addresses. */
  plain: boolean;
  /** The keys of its READY. Null: it has none, and knows neither pairs nor metadata. */
  about: About | null;
  /** Requests delivered to it and not yet answered, by sequence number. Changed by delivery.ts. */
  inFlight: MapByNumber<Request>;
  /** Plain: the request delivered last, and the client address in it. Changed by delivery.ts. */
  last: { sequence: number; client: Address } | null;
  /** Null: it is no newcomer and has no suspect in flight. Changed by isolation.ts. */
  standing: Standing<Request> | null;
  /** `idle` or `withCredit` of its service. Null: not eligible. */
  slot: IntrusiveList<Worker> | null;
  /** Its neighbours in `slot`. Changed by workers.ts, like `slot` and all fields below. */
  slotBefore: Worker | null;
  slotAfter: Worker | null;
  /** When its lease ends, in ms. Each command that it sends renews the lease. */
  expiresAt: number;
  /** Its neighbours among all workers, by `expiresAt`. */
  leaseBefore: Worker | null;
  leaseAfter: Worker | null;
  /** When the broker must send it a HEARTBEAT, in ms. Each command sent to it puts that off. */
  heartbeatAt: number;
  /** Its neighbours among all workers, by `heartbeatAt`. */
  heartbeatBefore: Worker | null;
  heartbeatAfter: Worker | null;
};

/** The state of a call (mmi.call) that a plain request does not have. */
export type CallState = {
  /** The id that its client chose, so that it can retry. Null: the call cannot be retried. */
  readonly id: string | null;
  /** When it expires, in ms. A retry may put that off. Changed by requests.ts. */
  expiresAt: number;
  /** The terms on which its callers wait. Changed by requests.ts. */
  terms: Readonly<CallTerms>;
  /** Null for most calls. Changed by requests.ts. */
  extras: CallExtras | null;
};

/** The fields that a new request is made of. */
export type NewRequest = Pick<
  Request,
  "sequence" | "client" | "dialect" | "packed" | "call" | "service" | "weight" | "receivedAt"
>;

/**
 * A request is open from its admission until it is settled.
 *
 * A queue may hold a million requests, so this class has only the fields that a queued request
 * needs. Rarer state is in objects of its own, allocated on first use; until then the fields point
 * at shared constants.
 */
export class Request {
  /** The sequence number, in the order of arrival, from 1. It is a part of the request id. */
  readonly sequence: number;
  /** The client that gets the outcome. Null: it disconnected, and the call may still be retried. */
  client: Address | null;
  /** The dialect of that client. Changed by requests.ts; so are `client` and `packed`. */
  dialect: Dialect;
  /** The envelope of that client, and the body for the worker. Empty once it is settled. */
  packed: PackedMessage;
  /** Null: a plain request, whose client has no way to receive a rejection. */
  readonly call: CallState | null;
  readonly service: Service;
  /** Where it is counted, from admission to outcome. */
  readonly stats: ServiceStats;
  /** The memory that it takes, in bytes, with the parts of its reply. Changed by requests.ts. */
  weight: number;
  /** When it arrived, in ms. */
  readonly receivedAt: number;
  /** Its deliveries. Changed by delivery.ts and requests.ts. */
  delivery: DeliveryState<Worker> = NOT_DELIVERED;
  /** The client has a part of the reply: no redelivery. Changed by replies.ts and requests.ts. */
  streaming = false;
  /** The parts of the reply so far, if they are kept. Changed by requests.ts. */
  parts: Parts = NO_PARTS;
  /** It has its outcome. Its worker may still be busy with it. Changed by requests.ts. */
  settled = false;
  /** Its lane, and its neighbours there. Null: not queued. Changed by queue.ts. */
  lane: Lane<Request> | null = null;
  laneBefore: Request | null = null;
  laneAfter: Request | null = null;
  /** The bucket of its expiry, and its neighbours. Null: settled. Changed by timer-wheel.ts. */
  bucket: Bucket<Request> | null = null;
  bucketBefore: Request | null = null;
  bucketAfter: Request | null = null;
  /** Its neighbours among the open requests of its client. Changed by client-index.ts. */
  clientBefore: Request | null = null;
  clientAfter: Request | null = null;

  constructor(request: NewRequest) {
    this.sequence = request.sequence;
    this.client = request.client;
    this.dialect = request.dialect;
    this.packed = request.packed;
    this.call = request.call;
    this.service = request.service;
    this.stats = request.service.stats;
    this.weight = request.weight;
    this.receivedAt = request.receivedAt;
  }

  /** The id that the client chose for the call; null if there is none. */
  get callId(): string | null {
    return this.call?.id ?? null;
  }

  /** The frames that stand before the header of each reply to the client (28/REQREP). */
  get envelope(): Frame[] {
    return envelopeOf(this.packed);
  }

  /** The body for the worker. */
  get body(): Frame[] {
    return bodyOf(this.packed);
  }

  /** When it last entered the queue, in ms. */
  get queuedAt(): number {
    return this.delivery.requeuedAt ?? this.receivedAt;
  }
}

/** A service without workers and requests. */
export function newService(name: Frame, stats: ServiceStats): Service {
  const [frame = name] = owned([name]);
  return {
    name: nameOf(frame),
    frame,
    stats,
    queue: new RequestQueue<Request>(),
    open: 0,
    workers: 0,
    registeredAt: -Infinity,
    idle: new IntrusiveList<Worker>("slotBefore", "slotAfter"),
    withCredit: new IntrusiveList<Worker>("slotBefore", "slotAfter"),
    ...{ wanted: false, wantedBefore: null, wantedAfter: null },
    trouble: null,
  };
}

/** A worker with nothing in flight. */
export const newWorker = (
  address: Address,
  { dialect, credit, about }: Ready,
  service: Service,
  peer: PeerInfo,
): Worker => ({
  address,
  peer,
  dialect,
  service,
  credit: credit ?? 1,
  plain: credit === null,
  about: about ?? null,
  inFlight: new MapByNumber(),
  last: null,
  standing: null,
  slot: null,
  slotBefore: null,
  slotAfter: null,
  expiresAt: 0,
  leaseBefore: null,
  leaseAfter: null,
  heartbeatAt: 0,
  heartbeatBefore: null,
  heartbeatAfter: null,
});
