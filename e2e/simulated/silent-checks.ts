// Checks silent workers: those that the broker removed because their lease ended, while their
// connection is intact. Their late answers must be used, and none gets DISCONNECT while it may
// still answer.

import type { Effect } from "../../broker/effects.ts";
import type { Address } from "../../protocol/frame.ts";
import { decode, type WorkerCommand } from "../../protocol/mdp.ts";
import type { ModelRequest, Registered } from "./model-request.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

type Answer = Extract<WorkerCommand, { name: "PARTIAL" | "REPLY" }>;

export class SilentChecks {
  #world: World;
  #byAddress = new Map<Address, Registered>(); // `holds` has what each may still answer.
  #dismissed = new Set<Address>(); // With this input.
  #answering: Address | null = null; // With this input.

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether the broker learns of each broken connection, so that it uses late answers. */
  get areUsed(): boolean {
    return this.#world.configuration.network.disconnectDetection === "at once";
  }

  /** Returns undefined unless the broker must know the peer as a silent worker. */
  get(address: Address): Registered | undefined {
    return this.#byAddress.get(address);
  }

  /** A silent worker was removed. `mayAnswer` has the requests that it may still answer. */
  add(worker: Registered, mayAnswer: ModelRequest[]) {
    for (const [key, request] of worker.holds)
      if (!mayAnswer.includes(request)) worker.holds.delete(key);
    if (worker.holds.size > 0) this.#byAddress.set(worker.address, worker);
  }

  /** A silent worker sent PARTIAL or REPLY. Returns the request that this must answer, or null. */
  answered(worker: Registered, { name, client }: Answer, now: number): ModelRequest | null {
    this.#answering = worker.address;
    const key = client.toString("latin1");
    const request = worker.holds.get(key);
    if (!request || request.ended) return null;
    if (name === "REPLY" && !request.begun) {
      this.#see(request.worker ? LATE_AT_ANOTHER : LATE);
      return request;
    }
    if (request.expiry > now) this.#see("a late answer was not used since parts would be missing");
    worker.holds.delete(key);
    return null;
  }

  /** Its next READY, its DISCONNECT or its end. Returns what it might have answered. */
  forget(address: Address): ModelRequest[] {
    const worker = this.#byAddress.get(address);
    this.#byAddress.delete(address);
    return [...(worker?.holds.values() ?? [])].filter(({ ended }) => !ended);
  }

  /** The broker sent the peer DISCONNECT. */
  dismissed(address: Address) {
    this.#dismissed.add(address);
  }

  /** Throws a Violation if a silent worker that may still answer was sent DISCONNECT. */
  checkKept(worker: Registered, { name }: WorkerCommand, effects: Effect[], now: number) {
    const isDismissed = effects.some(
      (effect) =>
        effect.do === "send" &&
        effect.to === worker.address &&
        decode(effect.frames, true).header === "worker",
    );
    const isOpen = ({ ended, expiry }: ModelRequest) => !ended && expiry > now;
    if (name === "HEARTBEAT" && isDismissed && [...worker.holds.values()].some(isOpen))
      throw new Violation("S7", `a silent worker got a response to its HEARTBEAT`);
  }

  /** Call after each input. */
  check(now: number, isTick: boolean, intervalMs: number) {
    for (const [address, { holds, toldAt }] of this.#byAddress) {
      const open = [...holds.values()].filter(({ ended }) => !ended);
      const isCertain = open.every(({ expiry }) => expiry > now);
      const isDismissed = this.#dismissed.has(address);
      if (isDismissed && open.length > 0 && isCertain)
        throw new Violation("S7", "a silent worker that may still answer was sent DISCONNECT");
      if (!isDismissed && open.length === 0 && this.#answering === address)
        throw new Violation("L2", "a silent worker with nothing more to answer got no DISCONNECT");
      if (isDismissed || open.length === 0) this.#byAddress.delete(address);
      else if (isTick && toldAt + intervalMs <= now)
        throw new Violation("L1", `a silent worker was sent nothing for ${now - toldAt} ms`);
    }
    this.#dismissed.clear();
    this.#answering = null;
  }

  #see(sight: Parameters<World["sightings"]["see"]>[0]) {
    this.#world.sightings.see(sight);
  }
}

const LATE = "a late REPLY answered a request without another worker";
const LATE_AT_ANOTHER = "a late REPLY answered a request that another worker had";
