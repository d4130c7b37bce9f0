// The Majordomo broker (7/MDP, 18/MDP), without its socket and its clock.
//
// It handles seven events: a message, bytes of a long message, a lost peer, a refused connection,
// full memory, a tick of the clock and a stop signal. Most return effects for start.ts to carry out.
// The same events in the same order have the same effects, so a test can replay any sequence of
// faults.
//
// This file has the rules for each command, before and after READY. Other rules:
//
//   admission.ts    accepts and rejects requests and workers
//   retries.ts      handles retries of calls
//   cancel.ts       ends requests whose clients cancel or disconnect
//   deadlines.ts    ends requests whose time is over
//   delivery.ts     moves a request from the queue to a worker and back; quarantine
//   replies.ts      sends parts, replies and rejections to clients
//   liveness.ts     removes silent workers, sends heartbeats
//   abandoned.ts    finds plain workers that never reply
//   silent-workers.ts  handles late answers
//   pairs-in.ts     handles the pairs of a HEARTBEAT
//   drain.ts        the states of a broker that ends
//
// model.ts has the data types, state.ts all data of a broker.

import { CALL } from "../protocol/call.ts";
import {
  type Address,
  type Frame,
  isSame,
  type PeerInfo,
  type RefusedConnection,
  sizeOf,
} from "../protocol/frame.ts";
import type { Heartbeat } from "../protocol/heartbeat.ts";
import { type ClientCommand, decode, type WorkerCommand } from "../protocol/mdp.ts";
import { Admission } from "./admission.ts";
import { Cancellation } from "./cancel.ts";
import { expire } from "./deadlines.ts";
import { Delivery } from "./delivery.ts";
import type { DrainEvent } from "./drain.ts";
import type { Effect } from "./effects.ts";
import type { BrokerEvent } from "./events.ts";
import { faultOfExtension } from "./extensions.ts";
import type { Limits } from "./limits.ts";
import { Liveness } from "./liveness.ts";
import { isManagement, manage } from "./mmi.ts";
import type { Worker } from "./model.ts";
import { nameOf } from "./names.ts";
import { PairsIn } from "./pairs-in.ts";
import { SHUTTING_DOWN } from "./rejections.ts";
import { Replies } from "./replies.ts";
import { RequestTrace } from "./request-trace.ts";
import { SilentWorkers } from "./silent-workers.ts";
import { countsOf, newState, type State } from "./state.ts";
import type { Counts } from "./vocabulary.ts";

/**
 * A broker. Times are in ms of a clock that does not jump. The loop around it, as in main.ts:
 *
 *   on a message            perform(broker.receive(from, frames, now(), peer))
 *   on a lost peer          perform(broker.gone(peer, now()))
 *   every tickMs            perform(broker.tick(now()))
 *   on a stop signal        perform(broker.drain(now()))
 */
export class Broker {
  #state: State;
  #replies: Replies;
  #delivery: Delivery;
  #admission: Admission;
  #cancellation: Cancellation;
  #pairsIn: PairsIn;
  #silentWorkers: SilentWorkers;
  #liveness: Liveness;

  /** `incarnation` is 8 random bytes, new at each start. */
  constructor(limits: Limits, heartbeat: Heartbeat, incarnation: Frame, now: number) {
    this.#state = newState(limits, heartbeat, incarnation, now);
    this.#replies = new Replies(this.#state);
    this.#delivery = new Delivery(this.#state, this.#replies);
    this.#admission = new Admission(this.#state, this.#replies, this.#delivery);
    this.#cancellation = new Cancellation(this.#state, this.#replies, this.#delivery);
    this.#pairsIn = new PairsIn(this.#state, this.#replies, this.#delivery);
    this.#silentWorkers = new SilentWorkers(this.#state, this.#replies, this.#delivery);
    this.#liveness = new Liveness(this.#state, this.#delivery, this.#silentWorkers, now);
  }

  /** A message arrived. The frames are those after the address; no input makes this throw. */
  receive(from: Address, frames: Frame[], now: number, peer?: PeerInfo): Effect[] {
    this.#delivery.dispatchAll(expire(this.#state, this.#replies, now), now);
    const isTooLarge = sizeOf(frames) > this.#state.limits.messageBytesMax;
    const command = isTooLarge ? TOO_LARGE : decode(frames, true);
    if (command.header === "client") this.#clientCommand(from, command, now, peer);
    else if (command.header === "worker") this.#workerCommand(from, command, now, peer);
    else this.#invalid(from, command.reason, now);
    return this.#end(now);
  }

  /** The connection to a peer broke, or the peer is a slow consumer that the transport closed. */
  gone(peer: Address, now: number): Effect[] {
    this.#delivery.dispatchAll(expire(this.#state, this.#replies, now), now);
    const worker = this.#state.workers.get(peer);
    if (worker) this.#delivery.removeWorkers([worker], "gone", now);
    this.#silentWorkers.gone(peer, now);
    this.#cancellation.clientGone(peer, now);
    return this.#end(now);
  }

  /** The peer gave a sign of life that is no message: bytes of a long one. */
  alive(peer: Address, now: number) {
    const worker = this.#state.workers.get(peer);
    if (worker) this.#state.workers.renewLease(worker, now);
  }

  /** The transport or the system refused a connection. The next event returns its line. */
  refused({ cause, reason, from }: RefusedConnection) {
    this.#state.stats.connectionsRefused[cause] += 1;
    this.#state.effects.count({ event: "connections.refused", reason, from });
  }

  /** The transport holds too much for its peers: no request of the peers `heavy` is accepted. */
  memoryFull(heavy: ReadonlySet<Address>) {
    this.#state.memory.heavy = heavy;
  }

  /** Time passed. Call this several times per heartbeat interval. */
  tick(now: number): Effect[] {
    this.#liveness.renewAfterStall(now);
    const services = expire(this.#state, this.#replies, now);
    this.#liveness.purge(now);
    this.#liveness.disconnectOverdue(now);
    this.#delivery.dispatchAll(services, now);
    this.#delivery.dispatchAll(this.#state.isolation.tick(now), now);
    this.#pairsIn.tick(now);
    this.#liveness.sendHeartbeats(now);
    this.#state.requests.calls.forget(now);
    this.#state.effects.logCounted(now);
    return this.#end(now);
  }

  /** Begins the drain. When it is over, one of these methods returns the effect "stopped". */
  drain(now: number): Effect[] {
    this.#advance("stop", now);
    return this.#end(now);
  }

  /** Logs an event of the program around the broker, so that `mmi.events` has it too. */
  report(entry: BrokerEvent, now: number): Effect[] {
    this.#state.effects.log(entry);
    return this.#end(now);
  }

  /** The transport reports each broken connection with `gone`, so that late answers can be used. */
  detectsDisconnects() {
    this.#state.late.turnOn();
  }

  /** Logs the way of each request from now on, at level debug. */
  traceRequests() {
    const { incarnation, effects, requests } = this.#state;
    requests.trace = new RequestTrace(incarnation, effects);
  }

  /** The counters since the start, and the numbers of this moment. */
  counts(): Counts {
    return countsOf(this.#state);
  }

  /** All that metrics may show. Only the broker changes it. */
  overview(): State {
    return this.#state;
  }

  /** MDP/Client. A client may send only REQUEST; the other commands are the broker's (18/MDP). */
  #clientCommand(from: Address, command: ClientCommand, now: number, peer?: PeerInfo) {
    const { service, name: commandName } = command;
    if (commandName !== "REQUEST") return this.#invalid(from, `a client's ${commandName}`, now);
    if (isSame(service, CALL)) return this.#admission.call(from, command, now, peer);
    const name = nameOf(service);
    if (name === "mmi.cancel") return this.#cancellation.cancel(from, command, now, peer);
    if (isManagement(name)) return this.#manage(from, command, name, now); // 8/MMI, Namespace
    this.#admission.request(from, command, name, now);
  }

  #manage(from: Address, command: ClientCommand, name: string, now: number) {
    const body = manage(name, command, this.#state, this.counts(), now);
    this.#replies.replyTo(from, command, body);
  }

  /**
   * MDP/Worker. The table has the broker's action for each command, before and after READY. To
   * reject a command is to answer DISCONNECT and to remove the worker, if it is registered. The
   * peer may then send READY again.
   *
   *   command          before READY   after READY
   *   READY            register       reject
   *   PARTIAL, REPLY   reject         renew the lease, forward
   *   HEARTBEAT        reject         renew the lease
   *   DISCONNECT       ignore         remove
   *   REQUEST          reject         reject
   */
  #workerCommand(from: Address, command: WorkerCommand, now: number, peer?: PeerInfo) {
    const worker = this.#state.workers.get(from);
    const fault = faultOfExtension(command, worker);
    if (fault !== null) return this.#invalid(from, fault, now);
    if (worker) this.#afterReady(worker, command, now);
    else if (!this.#silentWorkers.receive(from, command, now, peer))
      this.#beforeReady(from, command, now, peer);
  }

  #beforeReady(from: Address, command: WorkerCommand, now: number, peer?: PeerInfo) {
    switch (command.name) {
      case "READY":
        return this.#admission.ready(from, command, now, peer);
      case "DISCONNECT":
        return; // 7/MDP, Opening and Closing a Connection: DISCONNECT has no response.
      default:
        return this.#unexpected(from, command, now);
    }
  }

  #afterReady(worker: Worker, command: WorkerCommand, now: number) {
    const { workers, stats } = this.#state;
    if (command.name === "DISCONNECT") return this.#delivery.removeWorkers([worker], "left", now);
    if (command.dialect !== worker.dialect) {
      const reason = `${command.name} in another dialect than READY`;
      return this.#delivery.rejectWorker(worker.address, command, reason, now);
    }
    switch (command.name) {
      case "HEARTBEAT":
        stats.heartbeats.received += 1;
        workers.renewLease(worker, now);
        return this.#pairsIn.receive(worker, command.pairs ?? [], now);
      case "PARTIAL":
      case "REPLY":
        // 7/MDP, Heartbeating: any command is a sign of life.
        workers.renewLease(worker, now);
        return this.#delivery.answer(worker, command, now);
      default:
        return this.#unexpected(worker.address, command, now);
    }
  }

  /** 7/MDP, Opening and Closing a Connection: DISCONNECT answers a valid but unexpected command. */
  #unexpected(from: Address, command: WorkerCommand, now: number) {
    this.#delivery.rejectWorker(from, command, `unexpected ${command.name}`, now);
  }

  /** Drops a message that is not MDP. Removes its sender, if that is a worker, with DISCONNECT. */
  #invalid(from: Address, reason: string, now: number) {
    this.#state.stats.messagesDropped += 1;
    this.#state.effects.count({ event: "messages.dropped", reason });
    const worker = this.#state.workers.get(from);
    if (!worker) return;
    this.#delivery.removeWorkers([worker], "rejected", now);
    this.#delivery.sendDisconnect(from, worker.dialect);
  }

  /** Ends an event: advances the drain, and returns the effects of the event. */
  #end(now: number): Effect[] {
    const { drain, requests, effects, pairs, late } = this.#state;
    if (drain.hasBegun) {
      if (requests.inFlight + late.size === 0) this.#advance("idle", now);
      if (drain.isTimedOut(now)) this.#advance("timeout", now);
    }
    pairs.flushAll(now);
    return effects.take(now);
  }

  /** Advances the drain, and acts on the state that begins. */
  #advance(event: DrainEvent, now: number) {
    const { drain, requests, effects } = this.#state;
    switch (drain.on(event, now)) {
      case "draining": {
        const { queued, inFlight } = requests;
        return effects.log({ event: "broker.draining", queued, inFlight });
      }
      case "leaving":
        return this.#leave(now);
      case "stopped":
        return effects.stopped();
    }
  }

  /** Settles all requests, and disconnects all workers, so that they connect to the next broker. */
  #leave(now: number) {
    const { services, workers, requests } = this.#state;
    for (const request of requests.open)
      this.#replies.reject(request, "refused", SHUTTING_DOWN, now);
    for (const worker of workers) {
      workers.remove(worker);
      this.#delivery.sendDisconnect(worker.address, worker.dialect);
    }
    services.clear();
  }
}

const TOO_LARGE = { header: "invalid", reason: "the message is too large" } as const;
