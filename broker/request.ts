// A request. A million of them may wait at once, so each has only what a queued one needs; what few
// need they have in an object of its own, and a constant in its place until then.

import type { Dialect } from "../protocol/dialects.ts";
import type { Address, Frame } from "../protocol/frame.ts";
import type { Slot } from "./deadlines.ts";
import type { ServiceFigures } from "./figures.ts";
import { bodyOf, envelopeOf, type Parcel } from "./parcel.ts";
import type { Turn } from "./queue.ts";
import type { Service, Worker } from "./state.ts";

/** Who waits for an outcome, and what goes before it. */
export type Asker = { client: Address; dialect: Dialect; envelope: Frame[] };

/** What a call has that a plain request has not. */
export type Asked = {
  id: string | null; // What its client calls it, so that it can ask again.
  expiry: number; // When to give up on it.
  earlier: Asker | null; // Who asked before, and waits again should whoever asked last go away.
};

/** What has become of a request that a worker was given. */
export type Progress = {
  worker: Worker | null; // Who has it, if it is not queued.
  deliveries: number; // How many workers have been given it.
  alone: boolean; // One more loss is one too many: it shares its worker with no other request.
  requeuedAt: number | null; // When it was last put back into the queue.
};

/** All requests that no worker was given yet have this in common. */
export const NO_PROGRESS: Readonly<Progress> = {
  worker: null,
  deliveries: 0,
  alone: false,
  requeuedAt: null,
};

/** What has come of a reply. */
export type Parts = { frames: Frame[]; weight: number };

/** All requests of whose reply nothing has come have this in common. */
export const NO_PARTS: Readonly<Parts> = { frames: [], weight: 0 };

type NewRequest = Pick<Request, "id" | "client" | "dialect" | "parcel" | "call" | "service"> &
  Pick<Request, "weight" | "receivedAt">;

export class Request {
  readonly id: number; // In the order of arrival.
  client: Address | null; // Who waits for the outcome. Null: nobody, until the call is retried.
  dialect: Dialect; // What the client spoke.
  parcel: Parcel; // What goes before the outcome, and what its worker is given.
  readonly call: Asked | null; // Asked through mmi.call, so that its client is told any outcome.
  readonly service: Service;
  readonly figures: ServiceFigures; // Where it is counted, from first to last.
  weight: number; // What it costs to keep, in bytes.
  readonly receivedAt: number;
  progress: Progress = NO_PROGRESS;
  begun = false; // Its client has been sent a part of the reply.
  parts: Parts | null = NO_PARTS; // What is to be told later of its reply. Null: it was too much.
  closed = false; // It had its outcome; a worker may still be busy with it.
  turn: Turn | null = null; // Where it waits for a worker.
  turnBefore: Request | null = null;
  turnAfter: Request | null = null;
  slot: Slot | null = null; // Where it waits for its expiry.
  slotBefore: Request | null = null;
  slotAfter: Request | null = null;
  clientBefore: Request | null = null; // Among those that its client waits for.
  clientAfter: Request | null = null;

  constructor(asked: NewRequest) {
    this.id = asked.id;
    this.client = asked.client;
    this.dialect = asked.dialect;
    this.parcel = asked.parcel;
    this.call = asked.call;
    this.service = asked.service;
    this.figures = asked.service.figures;
    this.weight = asked.weight;
    this.receivedAt = asked.receivedAt;
  }

  /** What its client calls it, so that it can ask again. */
  get callId(): string | null {
    return this.call?.id ?? null;
  }

  get envelope(): Frame[] {
    return envelopeOf(this.parcel);
  }

  get body(): Frame[] {
    return bodyOf(this.parcel);
  }

  /** When it was last put into the queue. */
  get queuedAt(): number {
    return this.progress.requeuedAt ?? this.receivedAt;
  }
}
