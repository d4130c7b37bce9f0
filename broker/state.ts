// What the broker knows: services, workers, clients and requests. The rules are in broker.ts.

import { type Node, Yallist } from "yallist";
import type { Address, Frame } from "../protocol/frame.ts";
import type { Dialect } from "../protocol/mdp.ts";

export type Request = {
  id: number; // In the order of arrival.
  client: Client;
  dialect: Dialect; // What the client spoke.
  envelope: Frame[];
  service: Service;
  body: Frame[];
  weight: number; // What it costs to keep, in bytes.
  expiry: number; // When to give up on it.
  deliveries: number; // How many workers have been given it.
  worker: Worker | null; // Who has it, if it is not queued.
  closed: boolean; // It had its outcome; a worker may still be busy with it.
  age: Node<Request> | null; // Its place among all open requests, while it is one.
  place: Node<Request> | null; // Its place in the queue, while it waits there.
};

export type Client = {
  address: Address;
  requests: Set<Request>; // Open ones.
};

export type Service = {
  name: string; // The bytes of the name, a character a byte.
  frame: Frame; // The name as it goes over the wire.
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
  holds: Map<string, Request>; // What it was given and has not answered, by client frame.
  seat: Node<Worker> | null; // Its place in `waiting` or `spare`.
  expiry: number; // When to consider it gone.
  lease: Node<Worker> | null; // Its place among all workers, by expiry.
  heartbeatAt: number; // When to send it a HEARTBEAT.
  beat: Node<Worker> | null; // Its place among all workers, by heartbeatAt.
};

/** What waits for a worker of one service, in the order in which it will be served. */
export class RequestQueue {
  #requests = new Yallist<Request>();

  get length(): number {
    return this.#requests.length;
  }

  add(request: Request) {
    this.#requests.push(request);
    request.place = this.#requests.tail ?? null;
  }

  /** Puts a request that a worker lost first in line. */
  requeue(request: Request) {
    this.#requests.unshift(request);
    request.place = this.#requests.head ?? null;
  }

  next(): Request | undefined {
    const request = this.#requests.shift();
    if (request) request.place = null;
    return request;
  }

  remove(request: Request) {
    if (request.place) this.#requests.removeNode(request.place);
    request.place = null;
  }
}
