// The newcomers that wait for an identity, one per identity. identity-claim.ts decides about them.

import type { Address } from "../../protocol/frame.ts";
import { CLAIM_MS, IdentityClaim } from "./identity-claim.ts";
import type { Peer } from "./peer.ts";

export type ClaimEvents = {
  /** Whether a worker with a lease has this address. */
  isWorker(address: Address): boolean;
  /** The holder is dead, and the newcomer takes its place. */
  replace(address: Address, holder: Peer, newcomer: Peer): void;
  /** The holder lives, or a later newcomer waits. The newcomer must connect again. */
  dismiss(holder: Peer, newcomer: Peer): void;
};

type Waiting = {
  holder: Peer;
  newcomer: Peer;
  claim: IdentityClaim;
  answered: boolean;
  wasSlow: boolean; // When the claim began.
};

export class Claims {
  #leaseMs: number;
  #events: ClaimEvents;
  #waiting = new Map<Address, Waiting>();
  #clock: NodeJS.Timeout | undefined; // Runs while a newcomer waits.

  constructor(leaseMs: number, events: ClaimEvents) {
    this.#leaseMs = leaseMs;
    this.#events = events;
  }

  /**
   * A newcomer has the identity of an open connection. A later newcomer takes the place of an earlier
   * one, and does not wait longer than that.
   */
  add(address: Address, holder: Peer, newcomer: Peer) {
    const known = this.#waiting.get(address);
    if (known) {
      this.#events.dismiss(holder, known.newcomer);
      known.newcomer = newcomer;
      return;
    }
    const claim = new IdentityClaim(this.#leaseMs, performance.now());
    const waiting = { holder, newcomer, claim, answered: false, wasSlow: holder.isSlow };
    this.#waiting.set(address, waiting);
    this.#clock ??= setInterval(() => this.#decideAll(), CLAIM_MS / 10);
    holder.probe(() => {
      waiting.answered = true;
      this.#decide(address, waiting);
    });
  }

  /** The holder of this address has ended by itself. Returns the newcomer that may open now. */
  take(address: Address): Peer | null {
    const waiting = this.#waiting.get(address);
    this.#forget(address);
    return waiting?.newcomer ?? null;
  }

  /** This newcomer has ended before a decision. */
  left(address: Address, newcomer: Peer) {
    if (this.#waiting.get(address)?.newcomer === newcomer) this.#forget(address);
  }

  close() {
    for (const address of this.#waiting.keys()) this.#forget(address);
  }

  #decideAll() {
    for (const [address, waiting] of this.#waiting) this.#decide(address, waiting);
  }

  #decide(address: Address, waiting: Waiting) {
    if (this.#waiting.get(address) !== waiting) return;
    const { holder, newcomer, claim, answered, wasSlow } = waiting;
    const isSlow = wasSlow || this.#events.isWorker(address);
    const verdict = claim.decide({ answered, isSlow }, performance.now());
    if (verdict === "wait") return;
    this.#forget(address);
    if (verdict === "the holder is dead") this.#events.replace(address, holder, newcomer);
    else this.#events.dismiss(holder, newcomer);
  }

  #forget(address: Address) {
    this.#waiting.delete(address);
    if (this.#waiting.size > 0) return;
    clearInterval(this.#clock);
    this.#clock = undefined;
  }
}
