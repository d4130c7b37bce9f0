// The Majordomo broker, without its socket and its clock.
//
// Everything that decides what happens to a request or a worker is in this file; what the client is
// told of it is in replies.ts. It is handed messages and the time, and hands back effects for main.ts
// to carry out. The same inputs in the same order always give the same effects, which is what lets
// the tests replay a bad day.

import { CALL, type Call, decodeCall } from "../protocol/call.ts";
import { type Address, type Frame, isSame, sizeOf } from "../protocol/frame.ts";
import { type Heartbeat, LEAVE_MS } from "../protocol/heartbeat.ts";
import { type ClientCommand, decode, encode, type WorkerCommand } from "../protocol/mdp.ts";
import { idFrame, sequenceOf } from "../protocol/request-id.ts";
import { DeadLetters } from "./dead-letters.ts";
import { type Effect, Effects } from "./effects.ts";
import { isManagement, manage, type Overview } from "./mmi.ts";
import {
  bytesOf,
  type CallState,
  hexOf,
  type Limits,
  nameOf,
  newWorker,
  Request,
  type Service,
  textOf,
  type Worker,
  weigh,
} from "./model.ts";
import { bodyOf, type PackedMessage, pack } from "./packed-message.ts";
import * as rejections from "./rejections.ts";
import { Replies } from "./replies.ts";
import { Requests } from "./requests.ts";
import { Services } from "./services.ts";
import { Stats } from "./stats.ts";
import type { Counts, RemovalReason } from "./vocabulary.ts";
import { Workers } from "./workers.ts";

type Ready = Extract<WorkerCommand, { name: "READY" }>;
type Answer = Extract<WorkerCommand, { name: "PARTIAL" | "REPLY" }>;

export class Broker {
  #limits: Limits;
  #heartbeat: Heartbeat;
  #incarnation: Frame; // Eight bytes that no other life of a broker has.
  #stats: Stats;
  #services: Services;
  #workers: Workers;
  #requests: Requests;
  #replies: Replies;
  #deadLetters = new DeadLetters();
  #lastId = 0;
  #tickedAt: number; // When we were last awake.
  #drainBy: number | null = null; // When to wait no longer, if the program is to end.
  #leaveAt: number | null = null; // When to be gone, all being said.
  #totals = { retried: 0, repliesDropped: 0, messagesDropped: 0 };
  #out = new Effects();

  /** `life` is 8 random bytes, new with each start of a broker. */
  constructor(limits: Limits, heartbeat: Heartbeat, life: Frame, now: number) {
    this.#limits = limits;
    this.#heartbeat = heartbeat;
    this.#stats = new Stats(limits.servicesMax);
    this.#services = new Services(limits, this.#stats);
    this.#workers = new Workers(heartbeat);
    this.#requests = new Requests(limits, this.#stats, now);
    this.#replies = new Replies(limits, this.#requests, this.#out);
    this.#incarnation = life;
    this.#tickedAt = now;
  }

  /** A message came. `from` is the transport's address of its sender. */
  receive(from: Address, frames: Frame[], now: number): Effect[] {
    this.#dispatchAll(this.#expire(now), now);
    const command =
      sizeOf(frames) > this.#limits.messageBytesMax
        ? ({ header: "invalid", reason: "the message is too large" } as const)
        : decode(frames);
    switch (command.header) {
      case "client":
        this.#clientCommand(from, command, now);
        break;
      case "worker":
        this.#workerCommand(from, command, now);
        break;
      case "invalid":
        this.#invalid(from, command.reason, now);
        break;
    }
    return this.#flush(now);
  }

  /** The transport lost a peer, or could not hand it a message. */
  gone(peer: Address, now: number): Effect[] {
    this.#dispatchAll(this.#expire(now), now);
    const worker = this.#workers.get(peer);
    if (worker) this.#removeWorkers([worker], "gone", now);
    this.#clientGone(peer, now);
    return this.#flush(now);
  }

  /** The transport closed a connection: who was there does not speak ZMTP as we do. */
  refused(reason: string) {
    this.#out.counter.add({ event: "connections.refused", reason });
  }

  /** Time passed. To be called several times in each heartbeat interval. */
  tick(now: number): Effect[] {
    if (now - this.#tickedAt > this.#heartbeat.intervalMs) this.#stalled(now);
    this.#tickedAt = now;
    const services = this.#expire(now);
    this.#purge(now);
    this.#dispatchAll(services, now);
    this.#sendHeartbeats(now);
    this.#requests.calls.forget(now);
    this.#out.logCounted();
    return this.#flush(now);
  }

  /** The program is to end: take nothing new, and finish what there is within `drainMs`. */
  drain(now: number): Effect[] {
    if (this.#drainBy === null) {
      this.#drainBy = now + this.#limits.drainMs;
      const { queued, inFlight } = this.counts();
      this.#out.log({ event: "broker.draining", queued, inFlight });
    }
    return this.#flush(now);
  }

  counts(): Counts {
    const [workers, services] = [this.#workers.size, this.#services.size];
    return { ...this.#requests.counts(), ...this.#totals, workers, services };
  }

  /** All that there is to tell of this broker. */
  overview(): Overview {
    const [services, workers, deadLetters] = [this.#services, this.#workers, this.#deadLetters];
    return { services, workers, deadLetters, stats: this.#stats, counts: () => this.counts() };
  }

  #clientCommand(from: Address, command: ClientCommand, now: number) {
    const { service, body } = command;
    if (command.name !== "REQUEST") return this.#invalid(from, `a client's ${command.name}`, now);
    if (isSame(service, CALL)) return this.#call(from, command, now);
    const name = nameOf(service);
    if (isManagement(name)) return this.#manage(from, command, name);
    this.#request(from, command, name, { service, options: {}, body }, now);
  }

  #manage(from: Address, command: ClientCommand, name: string) {
    const body = manage(name, command.body, this.overview());
    this.#out.send(from, encode({ ...command, name: "REPLY", body }));
  }

  /** A call with an id that we know is one asked again: it is not run again. */
  #call(from: Address, command: ClientCommand, now: number) {
    const call = decodeCall(command.body);
    if ("reason" in call)
      return this.#replies.rejectCommand(from, command, rejections.malformed(call.reason));
    const name = nameOf(call.service);
    if (isManagement(name))
      return this.#replies.rejectCommand(from, command, rejections.NOT_THROUGH_CALL);
    const { id = "" } = call.options; // None that is valid is that short.
    const known = this.#requests.calls.get(id);
    if (!known) return this.#request(from, command, name, call, now);
    if (known.service !== name)
      return this.#replies.rejectCommand(from, command, rejections.ANOTHER_CALL);
    this.#totals.retried += 1;
    const { request, outcome } = known;
    if (request?.call) this.#retry(request, request.call, from, command, now + this.#ttl(call));
    if (outcome !== null) this.#tellAgain(outcome, from, command);
  }

  #tellAgain(outcome: PackedMessage, from: Address, command: ClientCommand) {
    this.#out.send(from, encode({ ...command, name: "REPLY", body: bodyOf(outcome) }));
  }

  /** The outcome goes to whoever asked last, all of it. */
  #retry(request: Request, call: CallState, from: Address, command: ClientCommand, expiry: number) {
    if (!request.parts)
      return this.#replies.rejectCommand(from, command, rejections.REPLY_TOO_LARGE);
    const asker = { client: from, dialect: command.dialect, envelope: command.envelope };
    if (this.#requests.weight + this.#requests.more(request, asker) > this.#limits.queueBytesMax) {
      return this.#replies.rejectCommand(
        from,
        command,
        rejections.full("the queues are too large"),
      );
    }
    this.#requests.reassign(request, call, asker, Math.max(call.expiry, expiry));
    this.#replies.catchUp(request);
  }

  #request(from: Address, command: ClientCommand, name: string, call: Call, now: number) {
    const { dialect, envelope } = command;
    const weight = weigh([...envelope, call.service, ...call.body]);
    const service = this.#services.get(name);
    const refusal = this.#refusal(service, weight);
    if (refusal) return this.#replies.rejectCommand(from, command, refusal, service);
    const expiry = now + this.#ttl(call);
    const isCall = isSame(command.service, CALL);
    const request = new Request({
      id: ++this.#lastId,
      client: from,
      dialect,
      packed: pack(envelope, call.body),
      call: isCall ? { id: call.options.id ?? null, expiry, previousReplyTo: null } : null,
      service: service ?? this.#services.add(call.service),
      weight,
      receivedAt: now,
    });
    this.#requests.add(request, expiry);
    this.#accept(request, from, call.body, now);
  }

  /** Why one more request is one too many, or null. */
  #refusal(service: Service | undefined, weight: number): rejections.Rejection | null {
    const { queueMax, queueBytesMax } = this.#limits;
    if (this.#drainBy !== null) return rejections.SHUTTING_DOWN;
    if (!service && this.#services.isFull) return rejections.full("too many services");
    if ((service?.open ?? 0) >= queueMax) return rejections.full("the queue is full");
    if (this.#requests.weight + weight > queueBytesMax)
      return rejections.full("the queues are too large");
    return null;
  }

  #accept(request: Request, from: Address, body: Frame[], now: number) {
    const { queue } = request.service;
    const worker = queue.first ? undefined : this.#workers.next(request);
    if (worker) this.#deliver(worker, request, body, now);
    else queue.add(request, from);
  }

  #ttl({ options }: Call): number {
    return options.ttl ?? this.#limits.requestTtlMs;
  }

  #workerCommand(from: Address, command: WorkerCommand, now: number) {
    const worker = this.#workers.get(from);
    if (command.name === "DISCONNECT") {
      if (worker) this.#removeWorkers([worker], "left", now);
    } else if (worker && command.dialect !== worker.dialect) {
      this.#reject(from, command, "another dialect than its READY's", now);
    } else if (command.name === "READY" && !worker) {
      this.#ready(from, command, now);
    } else if (command.name === "HEARTBEAT" && worker) {
      this.#workers.renewLease(worker, now);
      this.#stats.heartbeats.received += 1;
    } else if ((command.name === "PARTIAL" || command.name === "REPLY") && worker) {
      this.#workers.renewLease(worker, now);
      this.#answered(worker, command, now);
    } else {
      // 7/MDP: a valid but unexpected command ends the conversation. The peer opens a new one.
      this.#reject(from, command, `an unexpected ${command.name}`, now);
    }
  }

  #ready(from: Address, command: Ready, now: number) {
    const name = nameOf(command.service);
    const service = this.#services.get(name);
    if (isManagement(name)) this.#reject(from, command, "READY for a name of ours", now);
    else if (!service && this.#services.isFull)
      this.#reject(from, command, "too many services", now);
    else if (this.#leaveAt !== null)
      this.#reject(from, command, rejections.SHUTTING_DOWN.reason, now);
    else this.#register(from, command, service ?? this.#services.add(command.service), now);
  }

  #register(address: Address, { dialect, credit }: Ready, service: Service, now: number) {
    const worker = newWorker(address, dialect, service, credit);
    this.#workers.add(worker, now);
    service.stats = this.#stats.registered(service.frame);
    this.#out.log({
      event: "worker.registered",
      service: textOf(service),
      worker: hexOf(address),
      credit: worker.credit,
    });
    this.#dispatch(service, now);
  }

  /** A worker answered. Trust what we gave it, not what it says. */
  #answered(worker: Worker, command: Answer, now: number) {
    const { name, body } = command;
    const request = worker.inFlight.get(this.#idOf(worker, command.client));
    if (request && name === "REPLY") {
      worker.inFlight.delete(request.id);
      this.#workers.reposition(worker);
      if (request.settled) this.#late(worker.service);
      else this.#replies.last(request, body, now);
      this.#dispatch(worker.service, now);
    } else if (request) {
      if (request.settled) this.#late(worker.service);
      else this.#replies.part(request, body, now);
    } else if (worker.plain || worker.inFlight.size === 0) {
      this.#reject(worker.address, command, `a ${name} to nothing`, now);
    } else {
      this.#late(worker.service);
    }
  }

  /** Which request it answers, going by the client address; 0 if none. */
  #idOf({ plain, last }: Worker, client: Frame): number {
    if (!plain) return sequenceOf(this.#incarnation, client);
    return last?.client === nameOf(client) ? last.id : 0;
  }

  #late(service: Service) {
    this.#totals.repliesDropped += 1;
    this.#out.counter.add({ event: "replies.dropped", service: textOf(service), reason: "late" });
  }

  /** Hands out what is queued as long as there is a worker for it. */
  #dispatch(service: Service, now: number) {
    for (;;) {
      const request = service.queue.first;
      const worker = request && this.#workers.next(request);
      if (!worker) break;
      service.queue.take();
      this.#deliver(worker, request, request.body, now);
    }
    this.#services.forgetIfIdle(service);
  }

  #dispatchAll(services: Iterable<Service>, now: number) {
    for (const service of services) this.#dispatch(service, now);
  }

  #deliver(worker: Worker, request: Request, body: Frame[], now: number) {
    const { dialect } = worker;
    // A plain 7/MDP worker is given its client's address; others the id of the request, so that a
    // late REPLY is known for what it is and a redelivery for the same request.
    const asIs = worker.plain ? request.client : null;
    const client = asIs === null ? idFrame(this.#incarnation, request.id) : bytesOf(asIs);
    if (worker.plain) worker.last = { id: request.id, client: asIs ?? nameOf(client) };
    this.#requests.give(request, worker, now);
    request.delivery.deliveries += 1;
    worker.inFlight.add(request.id, request);
    this.#workers.reposition(worker);
    this.#sendToWorker(
      worker,
      encode({ header: "worker", dialect, name: "REQUEST", client, body }),
      now,
    );
  }

  /** We were stopped or starved. That silence was our own and says nothing of the workers. */
  #stalled(now: number) {
    this.#out.log({ event: "broker.stalled", ms: Math.round(now - this.#tickedAt) });
    for (const worker of this.#workers) this.#workers.renewLease(worker, now);
  }

  /** Removes the workers that went silent. They are sent nothing: they are presumed deaf. */
  #purge(now: number) {
    const expired = this.#workers.expired(now);
    if (expired.length > 0) this.#removeWorkers(expired, "expired", now);
  }

  #sendHeartbeats(now: number) {
    for (const worker of this.#workers.heartbeatsDue(now)) {
      const { dialect } = worker;
      this.#sendToWorker(worker, encode({ header: "worker", dialect, name: "HEARTBEAT" }), now);
      this.#stats.heartbeats.sent += 1;
    }
  }

  /** Gives up on what is past its time. To the services returned it may make a difference. */
  #expire(now: number): Iterable<Service> {
    const due = this.#requests.due(now);
    if (due.length === 0) return []; // As at nearly every message.
    const services = new Set<Service>();
    for (const request of due) {
      const { service } = request;
      const absent = request.delivery.deliveries === 0 && service.workers === 0;
      const refusal = absent
        ? rejections.NO_WORKER
        : request.delivery.worker
          ? rejections.EXPIRED_IN_FLIGHT
          : rejections.EXPIRED_IN_QUEUE;
      this.#replies.reject(request, "expired", refusal, now);
      services.add(service);
    }
    return services;
  }

  /**
   * A client that went away wants no replies. A call with an id stays open: it may ask again. Who asked
   * before waits again, and has no use for the rest if what it has missed was not kept.
   */
  #clientGone(client: Address, now: number) {
    const services = new Set<Service>();
    for (const request of this.#requests.openOf(client)) {
      const waitsAgain = this.#requests.leave(request, client);
      if (waitsAgain && request.parts) this.#replies.catchUp(request);
      else if (waitsAgain)
        this.#replies.reject(request, "refused", rejections.REPLY_TOO_LARGE, now);
      if (request.callId !== null) continue;
      this.#replies.reject(request, "clientGone", rejections.CLIENT_GONE, now);
      services.add(request.service);
    }
    this.#dispatchAll(services, now);
  }

  /** Removes workers and requeues what they held, oldest first in line. */
  #removeWorkers(workers: Worker[], reason: RemovalReason, now: number) {
    const lost: Request[] = [];
    for (const worker of workers) {
      const held = [...worker.inFlight].flatMap(([, request]) =>
        request.settled ? [] : [request],
      );
      // A worker that leaves is not one that its requests have killed.
      if (reason === "left") for (const { delivery } of held) delivery.deliveries -= 1;
      const broken = held.filter(({ streaming }) => streaming);
      const spent = held.filter(
        ({ streaming, delivery }) =>
          !streaming && delivery.deliveries >= this.#limits.deliveriesMax,
      );
      this.#workers.remove(worker);
      worker.service.stats.removed[reason] += 1;
      this.#out.log({
        event: "worker.removed",
        service: textOf(worker.service),
        worker: hexOf(worker.address),
        reason,
        requeued: held.length - broken.length - spent.length,
        brokenOff: broken.length,
        quarantined: spent.length,
      });
      for (const request of broken)
        this.#replies.reject(request, "refused", rejections.BROKEN_OFF, now);
      for (const request of spent) this.#quarantine(request, worker, now);
      for (const request of held) if (!request.settled) lost.push(request);
    }
    for (const request of lost.sort((one, other) => other.id - one.id))
      this.#requeue(request, reason, now);
    // Only now, so that no request goes from one expired worker to the next.
    this.#dispatchAll(new Set(workers.map((worker) => worker.service)), now);
  }

  #requeue(request: Request, reason: RemovalReason, now: number) {
    const { delivery } = request;
    const { deliveries } = delivery;
    // It may be what kills them. Next time none of the others dies with it.
    delivery.isolated = deliveries > 0 && deliveries === this.#limits.deliveriesMax - 1;
    this.#requests.give(request, null, now);
    this.#requests.dropParts(request);
    request.service.queue.requeue(request);
    request.stats.requeued[reason] += 1;
  }

  /** It may be what kills them: it goes to no other worker. */
  #quarantine(request: Request, worker: Worker, now: number) {
    const { deliveries } = request.delivery;
    const letter = {
      request: idFrame(this.#incarnation, request.id).toString("hex"),
      service: textOf(request.service),
      client: hexOf(request.client ?? ""),
      deliveries,
      worker: hexOf(worker.address),
    };
    this.#out.log({ event: "request.quarantined", ...letter });
    this.#deadLetters.add({ ...letter, at: Math.round(now) });
    this.#replies.reject(request, "quarantined", rejections.poison(deliveries), now);
  }

  /** Drops what is not MDP. A worker that sends such things is not to be trusted. */
  #invalid(from: Address, reason: string, now: number) {
    this.#totals.messagesDropped += 1;
    this.#out.counter.add({ event: "messages.dropped", reason });
    const worker = this.#workers.get(from);
    if (!worker) return;
    this.#removeWorkers([worker], "rejected", now);
    this.#disconnect(from, worker.dialect);
  }

  #reject(from: Address, { dialect }: WorkerCommand, reason: string, now: number) {
    const worker = this.#workers.get(from);
    if (worker) this.#removeWorkers([worker], "rejected", now);
    this.#disconnect(from, worker?.dialect ?? dialect);
    this.#out.counter.add({ event: "peers.disconnected", reason });
  }

  #disconnect(to: Address, dialect: WorkerCommand["dialect"]) {
    this.#out.send(to, encode({ header: "worker", dialect, name: "DISCONNECT" }));
  }

  /** Ends a drain once nothing is in flight, or it has taken too long. */
  #leaveIfDone(now: number) {
    if (this.#leaveAt === null) {
      if (this.#requests.inFlight > 0 && now < (this.#drainBy ?? now)) return;
      this.#leaveAt = now + LEAVE_MS;
      for (const request of this.#requests.open)
        this.#replies.reject(request, "refused", rejections.SHUTTING_DOWN, now);
      for (const worker of this.#workers) {
        this.#workers.remove(worker);
        this.#disconnect(worker.address, worker.dialect);
      }
      this.#services.clear();
    } else if (now >= this.#leaveAt) {
      this.#leaveAt = Infinity; // It is said once.
      this.#out.stopped();
    }
  }

  #sendToWorker(worker: Worker, frames: Frame[], now: number) {
    this.#workers.resetHeartbeat(worker, now);
    this.#out.send(worker.address, frames);
  }

  #flush(now: number): Effect[] {
    if (this.#drainBy !== null) this.#leaveIfDone(now);
    return this.#out.take();
  }
}
