// A worker of the simulation: the real WorkerSession, as workers/worker.ts runs it. Its handler
// follows the request's body.

import { MDP_0_1_TEXT } from "../../protocol/dialects.ts";
import type { Frame } from "../../protocol/frame.ts";
import { deadAfterMs, leaseMs, tickMs } from "../../protocol/heartbeat.ts";
import { decode } from "../../protocol/mdp.ts";
import type { Connected } from "../../transport/transport.ts";
import type { SessionEvent } from "../../workers/events.ts";
import { PROBE_MS } from "../../workers/ready-choice.ts";
import { WorkerSession } from "../../workers/session.ts";
import type {
  InFlightRequest,
  WorkerEffect,
  WorkerSessionOptions,
} from "../../workers/session-model.ts";
import { type Step, stepsOf } from "./handler.ts";
import { Process } from "./process.ts";
import { orderOf } from "./task.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** The options of its session. */
export type WorkerKind = Pick<WorkerSessionOptions, "service" | "credit" | "streams">;

export class SimulatedWorker {
  readonly process: Process;
  readonly service: string;
  #world: World;
  #session: WorkerSession;
  #socket: Connected | null = null;
  #given = new Set<string>(); // Client frames of the requests that came on this socket.
  #heardAt = 0; // The time of the broker's last message, or of the worker's own stall.
  #tickedAt = 0;
  #hasSentReady = false; // On this socket.
  #dialect = ""; // Of that READY.
  #isExtended = false; // That READY has keys.
  #hasSentDisconnect = false;
  #returned: string | null = null; // The client frame of the request that it returned last.
  #leaving = false;
  #begun = 0;
  #running = 0; // Handlers, also those of requests that the session gave up.
  #places: number;
  #hangMs: number; // Longer than the time limit, so that the handler runs on after its abort.
  #onEnd: () => void;

  /** `onEnd` runs once the worker has left or a request has killed it. */
  constructor(world: World, name: string, kind: WorkerKind, onEnd: () => void) {
    const { clock, random, configuration } = world;
    const { heartbeat, timeLimitMs, limits } = configuration;
    this.#world = world;
    this.#onEnd = onEnd;
    this.service = kind.service;
    this.#places = kind.credit;
    this.#hangMs = HANG_LIMITS * timeLimitMs;
    this.process = new Process(name, clock);
    const { messageBytesMax } = limits;
    const options = {
      ...kind,
      name,
      plainReady: false,
      broker: "tcp://broker:5555",
      timeLimitMs,
      messageBytesMax,
      heartbeat,
    };
    this.#session = new WorkerSession(
      { ...options, random: () => random.next() },
      this.process.now,
    );
    this.#tick();
    this.process.every(tickMs(heartbeat), () => this.#tick());
  }

  /** Returns whether the worker believes that it is registered. */
  get ready(): boolean {
    return this.#session.ready;
  }

  /** Finishes its requests and leaves, as on SIGTERM. */
  leave() {
    this.#leaving = true;
    this.#perform(this.#session.drain(this.process.now));
  }

  /** Ends at once, as on SIGKILL; at most `kept` messages per connection still arrive. */
  kill(kept: number) {
    this.#world.network.end(this.process, { kept });
  }

  #tick() {
    const { now } = this.process;
    const { heartbeat } = this.#world.configuration;
    // The worker itself was stalled.
    if (now - this.#tickedAt > heartbeat.intervalMs) this.#heardAt = now;
    this.#tickedAt = now;
    this.#perform(this.#session.tick(now));
    const patienceMs = this.#hasSentReady
      ? leaseMs(heartbeat)
      : Math.max(PROBE_MS, leaseMs(heartbeat));
    if (this.#socket && !this.#leaving && now - this.#heardAt >= patienceMs)
      throw new Violation("L1", `${this.process.name} stays with a silent broker`);
  }

  #receive(frames: Frame[]) {
    this.#heardAt = this.process.now;
    const mustReturn = this.#canReturn && clientOf(frames);
    this.#perform(this.#session.receive(frames, this.process.now));
    if (!mustReturn) return;
    if (this.#returned !== mustReturn)
      throw new Violation(
        "L4",
        `${this.process.name} leaves and keeps a request that it will not do`,
      );
    this.#world.sightings.see("a worker that drained returned a request that crossed its limit");
  }

  /** Whether it drains, and the broker knows pairs. */
  get #canReturn(): boolean {
    return this.#leaving && this.#isExtended && !this.#hasSentDisconnect;
  }

  #perform(effects: WorkerEffect[]) {
    for (const effect of effects) {
      switch (effect.do) {
        case "connect":
          this.#socket = this.#connect();
          break;
        case "close":
          this.#socket?.close(LINGER_MS);
          this.#socket = null;
          break;
        case "send":
          this.#send(effect.frames);
          break;
        case "serve":
          this.#serve(effect.request);
          break;
        case "stopped":
          this.process.end();
          this.#onEnd();
          break;
        case "log":
          this.#note(effect.entry);
          break;
        case "abort":
          break;
      }
    }
  }

  #note(entry: SessionEvent) {
    const { sightings } = this.#world;
    if (entry.event === "session.opened") {
      this.#hasSentReady = true;
      this.#heardAt = this.process.now;
      this.#dialect = entry.dialect;
      this.#isExtended = entry.extended;
      if (entry.credit === null)
        sightings.see("a worker with extensions got no reply and fell back to plain MDP");
    }
    if (entry.event === "session.confirmed" && this.#dialect === MDP_0_1_TEXT.name)
      sightings.see("a worker with extensions registered in the text dialect");
    if (entry.event === "session.renewing")
      sightings.see("a worker with extensions left a broker that has more than its READY used");
    if (entry.event === "session.unreachable")
      sightings.see("a worker logged that it could not connect");
  }

  #connect(): Connected {
    const timing = { deadAfterMs: deadAfterMs(this.#world.configuration.heartbeat) };
    this.#given.clear();
    this.#hasSentReady = false;
    this.#heardAt = this.process.now;
    return this.#world.network.connect(this.process, timing, {
      opened: () => this.#opened(),
      message: (frames) => this.#receive(frames),
      gone: () => this.#perform(this.#session.gone(this.process.now)),
      failed: (failure) => this.#perform(this.#session.failed(failure, this.process.now)),
    });
  }

  #opened() {
    this.#heardAt = this.process.now;
    this.#session.opened(this.process.now);
  }

  #send(frames: Frame[]) {
    const { random, configuration, healed } = this.#world;
    const command = decode(frames, true);
    if (command.header === "worker" && command.name === "DISCONNECT")
      this.#hasSentDisconnect = true;
    if (command.header === "worker" && command.name === "HEARTBEAT")
      for (const pair of command.pairs ?? [])
        if (pair.name === "returned")
          this.#returned = String(pair.addresses[0]?.toString("latin1"));
    const answers = command.header === "worker" && "client" in command ? command : null;
    if (answers && !this.#given.has(answers.client.toString("latin1")))
      throw new Violation("S3", `${this.process.name} answers a request of another conversation`);
    this.#socket?.send(frames);
    // The replies to probes are matched by their order.
    if (command.header === "client") return;
    // A duplicated PARTIAL is one part more, and a duplicated REPLY without an id may answer
    // another request.
    if (answers && (answers.name === "PARTIAL" || !isId(answers.client))) return;
    if (!healed && random.chance(configuration.oddities.stutter)) this.#socket?.send(frames);
  }

  #serve(request: InFlightRequest) {
    if (this.#leaving)
      throw new Violation("L4", `${this.process.name} starts a request while it leaves`);
    this.#given.add(request.client.toString("latin1"));
    const { history, healed } = this.#world;
    const worker = this.process.name;
    const order = orderOf(request.body);
    this.#begun += 1;
    this.#running += 1;
    if (this.#running > this.#places)
      throw new Violation("S7", `${this.process.name} runs ${this.#running} handlers at once`);
    const execution = `${worker}/${this.#begun}`;
    const id = isId(request.client) ? request.client.toString("hex") : execution;
    history.push({ event: "began", worker, id, request: order.name, at: this.#world.clock.now });
    this.#go(request, id, stepsOf(order, execution, healed, this.#hangMs));
  }

  /** Continues after a cancellation too, as most handlers do. */
  #go(request: InFlightRequest, id: string, [step, ...rest]: Step[]) {
    if (!step) return;
    this.process.after(step.afterMs, () => {
      const { now, name: worker } = this.process;
      if (step.does === "die") return this.#die(id);
      if (step.does === "part") {
        this.#perform(this.#session.partial(request, step.body, now));
        return this.#go(request, id, rest);
      }
      this.#world.history.push({ event: "finished", worker, id, at: this.#world.clock.now });
      this.#running -= 1;
      this.#perform(this.#session.reply(request, step.body, now));
    });
  }

  #die(id: string) {
    this.#world.trace.event(() => `${this.process.name} dies of ${id}`);
    this.kill(Number.POSITIVE_INFINITY);
    this.#onEnd();
  }
}

/** The client frame of a REQUEST; null for another message. */
function clientOf(frames: Frame[]): string | null {
  const command = decode(frames, true);
  const isRequest = command.header === "worker" && command.name === "REQUEST";
  return isRequest ? command.client.toString("latin1") : null;
}

const isId = (client: Frame) => client.length === ID_BYTES;

/** How many time limits a handler takes that hangs. */
const HANG_LIMITS = 3;

const LINGER_MS = 1000;
const ID_BYTES = 16;
