// One incarnation of the broker in the simulation: the real Broker, as broker/main.ts runs it. An
// oracle checks every input and every effect.

import type { Effect } from "../../broker/effects.ts";
import type { Address, Frame } from "../../protocol/frame.ts";
import { deadAfterMs, tickMs } from "../../protocol/heartbeat.ts";
import { decode } from "../../protocol/mdp.ts";
import type { Bound } from "../../transport/transport.ts";
import { type BrokerKind, reactionOf } from "./broker-kind.ts";
import { type Input, Oracle } from "./oracle.ts";
import { Process } from "./process.ts";
import type { BrokerUnderTest, World } from "./world.ts";

export class SimulatedBroker {
  readonly process: Process;
  readonly oracle: Oracle;
  #world: World;
  #kind: BrokerKind;
  #broker: BrokerUnderTest;
  #bound: Bound;
  #onEnd: () => void;

  /** `onEnd` runs once the broker has drained. */
  constructor(world: World, onEnd: () => void) {
    const { clock, random, network, configuration, makeBroker } = world;
    const { limits, heartbeat } = configuration;
    this.#world = world;
    this.#kind = world.brokerKind;
    this.#onEnd = onEnd;
    this.process = new Process("broker", clock);
    const { now } = this.process;
    this.#broker = makeBroker(limits, heartbeat, random.bytes(8), now);
    this.oracle = new Oracle(world, this.#broker, now);
    const timing = { deadAfterMs: deadAfterMs(heartbeat) };
    this.#bound = network.bind(this.process, timing, {
      message: (from, frames) => this.#receive(from, frames),
      gone: (peer) => this.#gone(peer),
    });
    if (this.#bound.detectsDisconnects) this.#broker.detectsDisconnects();
    this.process.every(tickMs(heartbeat), () => this.#tick());
  }

  /** Drains, as on SIGTERM. */
  stop() {
    this.#world.trace.event(() => "broker gets SIGTERM");
    const { now } = this.process;
    this.#perform({ kind: "stop", now }, this.#broker.drain(now));
  }

  /** Ends at once, as on SIGKILL; at most `kept` messages per connection still arrive. */
  kill(kept: number) {
    this.oracle.ends();
    this.#world.network.end(this.process, { kept });
  }

  counts() {
    return this.#broker.counts();
  }

  #receive(from: Address, frames: Frame[]) {
    const { trace, network } = this.#world;
    const { now } = this.process;
    trace.message(network.nameOf(from) ?? "somebody", "broker", frames);
    if (!this.#isRead(from, frames)) return;
    const effects = this.#broker.receive(from, frames, now);
    this.#perform({ kind: "message", from, frames, now }, effects);
  }

  /** Whether a broker of this kind reads the message; if not, it may have replied to it. */
  #isRead(from: Address, frames: Frame[]): boolean {
    if (!this.#world.network.nameOf(from)?.startsWith(EXTENDED_WORKER)) return true;
    const reaction = reactionOf(this.#kind, frames);
    if (reaction === "read") return true;
    if (reaction !== "drop") this.#bound.send(from, reaction);
    return false;
  }

  #gone(peer: Address) {
    const { now } = this.process;
    this.#world.trace.event(
      () => `broker notices that ${this.#world.network.nameOf(peer)} is gone`,
    );
    this.#perform({ kind: "gone", peer, now }, this.#broker.gone(peer, now));
  }

  #tick() {
    const { now } = this.process;
    this.#perform({ kind: "tick", now }, this.#broker.tick(now));
  }

  #perform(input: Input, effects: Effect[]) {
    for (const effect of effects) if (effect.do === "send") this.#note(effect.to, effect.frames);
    this.oracle.saw(input, effects);
    for (const effect of effects) {
      if (effect.do === "send") {
        this.#bound.send(effect.to, effect.frames);
      } else if (effect.do === "stopped") {
        this.oracle.ends();
        this.#bound.close();
        this.#onEnd();
      }
    }
  }

  /** Records the message in the trace, and the client frame for intruders to copy. */
  #note(to: Address, frames: Frame[]) {
    const { overheard, trace, network } = this.#world;
    trace.message("broker", network.nameOf(to) ?? "nobody", frames);
    const command = decode(frames);
    if (command.header !== "worker" || command.name !== "REQUEST") return;
    overheard.push(command.client);
    if (overheard.length > OVERHEARD_MAX) overheard.shift();
  }
}

/** The names of workers with extensions begin so, and no others do. */
const EXTENDED_WORKER = "w";

const OVERHEARD_MAX = 50;
