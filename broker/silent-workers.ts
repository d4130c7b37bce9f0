// Silent workers: the rules for workers that the broker removed because their lease ended, and
// whose connection is intact. late-answers.ts has the record of them.
//
// A final REPLY of such a worker answers its request while that is open. There is one exception: if
// parts of the reply were dropped, or the client has a part of another worker's reply, the whole
// reply would not be the one that a single worker sent.
//
// While it has an open request, the worker gets HEARTBEATs, and its own have no response. After
// that each of its commands gets DISCONNECT, so that it registers again (7/MDP).
//
// A silence is no death, so it makes no request a suspect. If the connection breaks before the
// answer, the worker died, and isolation.ts has the rules for its open requests.

import type { Address, PeerInfo } from "../protocol/frame.ts";
import { UNKNOWN_PEER } from "../protocol/frame.ts";
import { encode, type WorkerCommand } from "../protocol/mdp.ts";
import type { Answer, Delivery } from "./delivery.ts";
import type { Request, Worker } from "./model.ts";
import { quarantine } from "./quarantine.ts";
import type { Replies } from "./replies.ts";
import type { State } from "./state.ts";

/** The rules for silent workers. */
export class SilentWorkers {
  #state: State;
  #replies: Replies;
  #delivery: Delivery;

  constructor(state: State, replies: Replies, delivery: Delivery) {
    this.#state = state;
    this.#replies = replies;
    this.#delivery = delivery;
  }

  /**
   * Handles a command of a peer that is not registered. Returns false if the peer is no silent
   * worker, or is none any more: its command is then that of an unknown peer.
   */
  receive(
    from: Address,
    command: WorkerCommand,
    now: number,
    peer: PeerInfo = UNKNOWN_PEER,
  ): boolean {
    const { late, stats } = this.#state;
    const worker = late.get(from, peer);
    if (!worker) return false;
    const isFit = command.dialect === worker.dialect;
    if (isFit && command.name === "HEARTBEAT") {
      stats.heartbeats.received += 1;
      return true;
    }
    if (isFit && (command.name === "REPLY" || command.name === "PARTIAL")) {
      this.#answer(worker, command, now);
      if (!late.get(from, peer)) this.#delivery.sendDisconnect(from, worker.dialect);
      return true;
    }
    late.forget(worker); // READY begins again, DISCONNECT leaves, and others break the protocol.
    return false;
  }

  /** The connection of a silent worker broke: its open requests may have killed it. */
  gone(peer: Address, now: number) {
    const { late, isolation } = this.#state;
    const worker = late.get(peer);
    if (!worker) return;
    isolation.died(worker, now);
    for (const request of late.forget(worker))
      if (isolation.isSpent(request)) quarantine(this.#state, this.#replies, request, worker, now);
      else isolation.suspects(request, now);
    this.#delivery.dispatch(worker.service, now);
  }

  /** Sends HEARTBEAT to the silent workers that got no command for an interval. */
  sendHeartbeats(now: number) {
    const { late, heartbeat, effects, stats } = this.#state;
    for (const worker of late) {
      const { address, dialect, heartbeatAt } = worker;
      if (heartbeatAt > now) continue;
      worker.heartbeatAt = now + heartbeat.intervalMs;
      effects.send(address, encode({ header: "worker", dialect, name: "HEARTBEAT" }));
      stats.heartbeats.sent += 1;
    }
  }

  /** A part is of no use without the parts before it, which the broker may have dropped. */
  #answer(worker: Worker, command: Answer, now: number) {
    const { late } = this.#state;
    const request = this.#delivery.requestOf(worker, command);
    const isUsed = request && command.name === "REPLY" && !request.streaming;
    if (isUsed) this.#settle(request, command, now);
    else this.#delivery.countLate(worker.service);
    if (request && !isUsed) late.close(worker, request);
  }

  /** Any other worker of the request goes on for nobody. */
  #settle(request: Request, { body }: Answer, now: number) {
    const { requests, pairs, abandoned, isolation } = this.#state;
    const { worker } = request.delivery;
    requests.forgetParts(request);
    this.#replies.last(request, body, now);
    isolation.settled(request);
    if (worker?.inFlight.has(request.sequence)) pairs.cancel(worker, request);
    if (worker) abandoned.waitFor(request, worker, now);
    this.#delivery.dispatch(request.service, now);
  }
}
