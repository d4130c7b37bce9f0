// The Majordomo broker, without its socket and its clock.
//
// Everything that decides what happens to a request or a worker is in this file. It is handed
// messages and the time, and hands back effects for main.ts to carry out. The same inputs in the
// same order always give the same effects, which is what lets the tests replay a bad day.

import { Yallist } from "yallist";
import { type Address, type Frame, sizeOf } from "../protocol/frame.ts";
import type { Heartbeat } from "../protocol/heartbeat.ts";
import { type ClientCommand, decode, encode, type WorkerCommand } from "../protocol/mdp.ts";
import type { BrokerEvent, RemovalReason } from "./events.ts";
import { isManagement, manage } from "./mmi.ts";
import { Roster } from "./roster.ts";
import { type Client, type Request, RequestQueue, type Service, type Worker } from "./state.ts";
import { Tally } from "./tally.ts";

export type Effect =
  | { do: "send"; to: Address; frames: Frame[] }
  | { do: "log"; entry: BrokerEvent };

export type Limits = {
  requestTtlMs: number; // How long a request may be open.
  deliveriesMax: number; // How many workers a request may be lost with.
  queueMax: number; // How many requests may be open in one service.
  queueBytesMax: number; // How much all open requests may weigh together, in bytes.
  servicesMax: number; // How many services there may be.
  messageBytesMax: number; // How large a message may be.
};

/** received = answered + refused + expired + quarantined + clientGone + queued + inFlight. */
export type Counts = {
  received: number; // Requests, since the broker started.
  answered: number;
  refused: number; // Beyond a bound.
  expired: number;
  quarantined: number;
  clientGone: number;
  queued: number; // Now.
  inFlight: number; // Now.
  requeued: number; // How often a request went back to its queue.
  repliesDropped: number;
  messagesDropped: number;
  workers: number; // Now.
  services: number; // Now.
};

type Outcome = "answered" | "expired" | "quarantined" | "clientGone";

export class Broker {
  #limits: Limits;
  #heartbeat: Heartbeat;
  #life: Frame; // Eight bytes that no other life of a broker has.
  #services = new Map<string, Service>();
  #workers: Roster;
  #clients = new Map<Address, Client>(); // Those with open requests.
  #open = new Yallist<Request>(); // Queued and in flight, soonest to expire first.
  #weight = 0; // Of all open requests, in bytes.
  #lastId = 0;
  #tickedAt: number; // When we were last awake.
  #totals = { received: 0, refused: 0, requeued: 0, repliesDropped: 0, messagesDropped: 0 };
  #outcomes = { answered: 0, expired: 0, quarantined: 0, clientGone: 0 };
  #tally = new Tally(); // To be logged at the next tick.
  #effects: Effect[] = []; // What the input now being handled has led to so far.

  /** `life` is 8 random bytes, new with each start of a broker. */
  constructor(limits: Limits, heartbeat: Heartbeat, life: Frame, now: number) {
    this.#limits = limits;
    this.#heartbeat = heartbeat;
    this.#workers = new Roster(heartbeat);
    this.#life = life;
    this.#tickedAt = now;
  }

  /** A message came. `from` is the transport's address of its sender. */
  receive(from: Address, frames: Frame[], now: number): Effect[] {
    this.#expire(now);
    const size = sizeOf(frames);
    const command =
      size > this.#limits.messageBytesMax
        ? ({ header: "invalid", why: "the message is too large" } as const)
        : decode(frames);
    switch (command.header) {
      case "client":
        this.#clientCommand(from, command, size, now);
        break;
      case "worker":
        this.#workerCommand(from, command, now);
        break;
      case "invalid":
        this.#invalid(from, command.why, now);
        break;
    }
    return this.#flush();
  }

  /** The transport lost a peer, or could not hand it a message. */
  gone(peer: Address, now: number): Effect[] {
    this.#expire(now);
    const worker = this.#workers.get(peer);
    if (worker) this.#lose([worker], "gone", now);
    const client = this.#clients.get(peer);
    for (const request of client?.requests ?? []) {
      this.#drop(request, "clientGone", "the client is gone");
    }
    return this.#flush();
  }

  /** Time passed. To be called several times in each heartbeat interval. */
  tick(now: number): Effect[] {
    if (now - this.#tickedAt > this.#heartbeat.intervalMs) this.#overslept(now);
    this.#tickedAt = now;
    this.#expire(now);
    this.#purge(now);
    this.#beat(now);
    for (const entry of this.#tally.take()) this.#log(entry);
    return this.#flush();
  }

  /** The program is ending: every worker is told to look for the next broker. */
  disconnectAll(): Effect[] {
    for (const worker of this.#workers) this.#disconnect(worker.address, worker.dialect);
    return this.#flush();
  }

  counts(): Counts {
    let queued = 0;
    for (const service of this.#services.values()) queued += service.queue.length;
    return {
      ...this.#totals,
      ...this.#outcomes,
      queued,
      inFlight: this.#open.length - queued,
      workers: this.#workers.size,
      services: this.#services.size,
    };
  }

  #clientCommand(from: Address, command: ClientCommand, size: number, now: number) {
    const name = command.service.toString("latin1");
    if (isManagement(name)) {
      const workers = (service: string) => this.#services.get(service)?.workers ?? 0;
      this.#send(from, encode({ ...command, body: manage(name, command.body, workers) }));
      return;
    }
    this.#totals.received += 1;
    const weight = size + REQUEST_WEIGHT + FRAME_WEIGHT * command.body.length;
    const bound = this.#bound(name, weight);
    if (bound) {
      // 7/MDP has no word for no: a plain client finds out by its time-out.
      this.#totals.refused += 1;
      const known = this.#services.has(name);
      this.#tally.add({ event: "requests.dropped", service: known ? text(name) : "", why: bound });
      return;
    }
    this.#accept(from, command, weight, now);
  }

  /** The bound that one more request would break, or null. */
  #bound(name: string, weight: number): string | null {
    const service = this.#services.get(name);
    if (!service && this.#services.size >= this.#limits.servicesMax) return "too many services";
    if (service && service.open >= this.#limits.queueMax) return "the queue is full";
    if (this.#weight + weight > this.#limits.queueBytesMax) return "the queues are too large";
    return null;
  }

  #accept(from: Address, command: ClientCommand, weight: number, now: number) {
    const { dialect, envelope, body } = command;
    const service = this.#service(command.service);
    const client = this.#client(from);
    const request: Request = {
      id: ++this.#lastId,
      client,
      dialect,
      envelope,
      service,
      body,
      weight,
      expiry: now + this.#limits.requestTtlMs,
      deliveries: 0,
      worker: null,
      closed: false,
      age: null,
      place: null,
    };
    this.#open.push(request);
    request.age = this.#open.tail ?? null;
    this.#weight += weight;
    client.requests.add(request);
    service.open += 1;
    service.queue.add(request);
    this.#dispatch(service, now);
  }

  #workerCommand(from: Address, command: WorkerCommand, now: number) {
    const worker = this.#workers.get(from);
    if (command.name === "DISCONNECT") {
      if (worker) this.#lose([worker], "left", now);
    } else if (command.name === "READY" && !worker) {
      this.#ready(from, command, now);
    } else if (command.name === "HEARTBEAT" && worker) {
      this.#workers.heard(worker, now);
    } else if (command.name === "REPLY" && worker) {
      this.#workers.heard(worker, now);
      this.#reply(worker, command, now);
    } else {
      // 7/MDP: a valid but unexpected command ends the conversation. The peer opens a new one.
      this.#reject(from, command, `an unexpected ${command.name}`, now);
    }
  }

  #ready(from: Address, command: Extract<WorkerCommand, { name: "READY" }>, now: number) {
    const name = command.service.toString("latin1");
    const full = !this.#services.has(name) && this.#services.size >= this.#limits.servicesMax;
    if (isManagement(name)) return this.#reject(from, command, "READY for a name of ours", now);
    if (full) return this.#reject(from, command, "too many services", now);
    this.#register(from, command, now);
  }

  #register(address: Address, command: Extract<WorkerCommand, { name: "READY" }>, now: number) {
    const service = this.#service(command.service);
    const worker: Worker = {
      address,
      dialect: command.dialect,
      service,
      credit: command.credit ?? 1,
      plain: command.credit === null,
      holds: new Map(),
      seat: null,
      expiry: 0,
      lease: null,
      heartbeatAt: 0,
      beat: null,
    };
    this.#workers.add(worker, now);
    service.workers += 1;
    this.#seat(worker);
    const { credit } = worker;
    this.#log({
      event: "worker.registered",
      service: text(service.name),
      worker: hex(address),
      credit,
    });
    this.#dispatch(service, now);
  }

  /** A worker answered. Trust what we gave it, not what it says. */
  #reply(worker: Worker, command: Extract<WorkerCommand, { name: "REPLY" }>, now: number) {
    const key = command.client.toString("latin1");
    const request = worker.holds.get(key);
    if (request) {
      worker.holds.delete(key);
      this.#seat(worker);
      if (request.closed) this.#late(worker.service);
      else this.#answer(request, command.body);
      this.#dispatch(worker.service, now);
    } else if (worker.plain || worker.holds.size === 0) {
      this.#reject(worker.address, command, "a REPLY to nothing", now);
    } else {
      this.#late(worker.service);
    }
  }

  #answer(request: Request, body: Frame[]) {
    const { dialect, envelope, service, client } = request;
    const reply = { dialect, envelope, service: service.frame, body };
    this.#close(request, "answered");
    this.#send(client.address, encode({ header: "client", ...reply }));
  }

  #late(service: Service) {
    this.#totals.repliesDropped += 1;
    this.#tally.add({ event: "replies.dropped", service: text(service.name), why: "late" });
  }

  /** Hands what is queued to who has been idle the longest, or else has credit left. */
  #dispatch(service: Service, now: number) {
    for (;;) {
      const worker = service.waiting.head?.value ?? service.spare.head?.value;
      const request = worker && service.queue.next();
      if (!request) break;
      this.#deliver(worker, request, now);
    }
    this.#forget(service);
  }

  #deliver(worker: Worker, request: Request, now: number) {
    const { dialect } = worker;
    // A plain 7/MDP worker is given its client's address; others the id of the request, so that a
    // late REPLY is known for what it is and a redelivery for the same request.
    const client = worker.plain ? bytes(request.client.address) : this.#idFrame(request.id);
    request.deliveries += 1;
    request.worker = worker;
    worker.holds.set(client.toString("latin1"), request);
    this.#seat(worker);
    const { body } = request;
    this.#tell(worker, encode({ header: "worker", dialect, name: "REQUEST", client, body }), now);
  }

  /** 8 bytes of this broker's life, 8 of a counter: no id ever repeats, across restarts too. */
  #idFrame(id: number): Frame {
    const frame = Buffer.alloc(16);
    this.#life.copy(frame);
    frame.writeBigUInt64BE(BigInt(id), 8);
    return frame;
  }

  /** Puts a worker in the list that it is served from, behind those already there. */
  #seat(worker: Worker) {
    const { service, holds, credit } = worker;
    this.#unseat(worker);
    if (holds.size >= credit) return;
    const list = holds.size === 0 ? service.waiting : service.spare;
    list.push(worker);
    worker.seat = list.tail ?? null;
  }

  #unseat(worker: Worker) {
    worker.seat?.list?.removeNode(worker.seat);
    worker.seat = null;
  }

  /** We were stopped or starved. That silence was our own and says nothing of the workers. */
  #overslept(now: number) {
    this.#log({ event: "broker.overslept", ms: Math.round(now - this.#tickedAt) });
    for (const worker of this.#workers) this.#workers.heard(worker, now);
  }

  /** Removes the workers that went silent. They are sent nothing: they are presumed deaf. */
  #purge(now: number) {
    const expired = this.#workers.expired(now);
    if (expired.length > 0) this.#lose(expired, "expired", now);
  }

  #expire(now: number) {
    for (let oldest = this.#open.head; oldest; oldest = this.#open.head) {
      const request = oldest.value;
      if (request.expiry > now) break;
      this.#drop(request, "expired", request.worker ? "expired in flight" : "expired in the queue");
    }
  }

  #beat(now: number) {
    for (const worker of this.#workers.due(now)) {
      const { dialect } = worker;
      this.#tell(worker, encode({ header: "worker", dialect, name: "HEARTBEAT" }), now);
    }
  }

  /** Removes workers and requeues what they held, oldest first in line. */
  #lose(workers: Worker[], reason: RemovalReason, now: number) {
    const lost: Request[] = [];
    for (const worker of workers) {
      const held = [...worker.holds.values()].filter((request) => !request.closed);
      // A worker that leaves is not one that its requests have killed.
      if (reason === "left") for (const request of held) request.deliveries -= 1;
      const spent = held.filter((request) => request.deliveries >= this.#limits.deliveriesMax);
      this.#workers.remove(worker);
      this.#unseat(worker);
      worker.service.workers -= 1;
      this.#log({
        event: "worker.removed",
        service: text(worker.service.name),
        worker: hex(worker.address),
        reason,
        requeued: held.length - spent.length,
        quarantined: spent.length,
      });
      for (const request of spent) this.#quarantine(request);
      lost.push(...held.filter((request) => !request.closed));
    }
    for (const request of lost.sort((one, other) => other.id - one.id)) this.#requeue(request);
    // Only now, so that no request goes from one expired worker to the next.
    for (const service of new Set(workers.map((worker) => worker.service))) {
      this.#dispatch(service, now);
    }
  }

  #requeue(request: Request) {
    request.worker = null;
    request.service.queue.requeue(request);
    this.#totals.requeued += 1;
  }

  /** It may be what kills them: it goes to no other worker. */
  #quarantine(request: Request) {
    this.#log({
      event: "request.quarantined",
      service: text(request.service.name),
      request: request.id,
      client: hex(request.client.address),
      deliveries: request.deliveries,
      worker: hex(request.worker?.address ?? ""),
    });
    this.#close(request, "quarantined");
  }

  #drop(request: Request, outcome: Outcome, why: string) {
    const { service } = request;
    this.#tally.add({ event: "requests.dropped", service: text(service.name), why });
    this.#close(request, outcome);
    this.#forget(service);
  }

  /** Gives a request its one outcome. A worker that has it keeps its place taken until it answers. */
  #close(request: Request, outcome: Outcome) {
    const { service, client } = request;
    this.#outcomes[outcome] += 1;
    if (request.age) this.#open.removeNode(request.age);
    service.queue.remove(request);
    service.open -= 1;
    this.#weight -= request.weight;
    client.requests.delete(request);
    if (client.requests.size === 0) this.#clients.delete(client.address);
    request.closed = true;
    request.age = null;
    request.body = [];
  }

  /** Drops what is not MDP. A worker that sends such things is not to be trusted. */
  #invalid(from: Address, why: string, now: number) {
    this.#totals.messagesDropped += 1;
    this.#tally.add({ event: "messages.dropped", why });
    const worker = this.#workers.get(from);
    if (!worker) return;
    this.#lose([worker], "rejected", now);
    this.#disconnect(from, worker.dialect);
  }

  #reject(from: Address, { dialect }: WorkerCommand, why: string, now: number) {
    const worker = this.#workers.get(from);
    if (worker) this.#lose([worker], "rejected", now);
    this.#disconnect(from, dialect);
    this.#tally.add({ event: "peers.disconnected", why });
  }

  #disconnect(to: Address, dialect: WorkerCommand["dialect"]) {
    this.#send(to, encode({ header: "worker", dialect, name: "DISCONNECT" }));
  }

  #service(frame: Frame): Service {
    const name = frame.toString("latin1");
    let service = this.#services.get(name);
    if (!service) {
      const [waiting, spare] = [new Yallist<Worker>(), new Yallist<Worker>()];
      const queue = new RequestQueue();
      service = { name, frame, queue, open: 0, workers: 0, waiting, spare };
      this.#services.set(name, service);
    }
    return service;
  }

  /** Peers choose the names, so a service that nobody serves or wants must go. */
  #forget(service: Service) {
    if (service.workers === 0 && service.open === 0) this.#services.delete(service.name);
  }

  #client(address: Address): Client {
    let client = this.#clients.get(address);
    if (!client) {
      client = { address, requests: new Set() };
      this.#clients.set(address, client);
    }
    return client;
  }

  #tell(worker: Worker, frames: Frame[], now: number) {
    this.#workers.told(worker, now);
    this.#send(worker.address, frames);
  }

  #send(to: Address, frames: Frame[]) {
    this.#effects.push({ do: "send", to, frames });
  }

  #log(entry: BrokerEvent) {
    this.#effects.push({ do: "log", entry });
  }

  #flush(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

const REQUEST_WEIGHT = 256; // What a request costs to keep besides its bytes, about.
const FRAME_WEIGHT = 64; // And each frame of it.

const bytes = (address: Address): Frame => Buffer.from(address, "latin1");
const hex = (address: Address) => bytes(address).toString("hex");
const text = (name: string) => bytes(name).toString("utf8");
