// A worker as in the Guide, which knows 7/MDP and nothing else: no credit, one request at a time,
// and with many of them no heartbeats meanwhile. If it stutters it says things twice.

import { MDP_0_1 as dialect } from "../../protocol/dialects.ts";
import type { Frame } from "../../protocol/frame.ts";
import { leaseMs, tickMs } from "../../protocol/heartbeat.ts";
import { type Command, decode, encode } from "../../protocol/mdp.ts";
import type { Connected } from "../../transport/transport.ts";
import { Process } from "./process.ts";
import { replyOf, taskOf } from "./task.ts";
import type { World } from "./world.ts";

type Request = Extract<Command, { name: "REQUEST" }>;

export class PlainWorker {
  readonly process: Process;
  readonly service: string;
  #world: World;
  #socket: Connected | null = null;
  #heard = false; // The broker, on this socket.
  #busy = false;
  #begun = 0;
  #leaving = false;
  #inbox: Frame[][] = []; // Came while it was busy.
  #heartbeatAt = 0; // When to send the next HEARTBEAT.
  #expiry = 0; // When to look for the broker anew.
  #attends: boolean; // To the broker while it is busy.
  #delimits: boolean; // Its REPLY has an empty frame before the body, as it should.
  #onEnd: () => void;

  constructor(world: World, name: string, service: string, onEnd: () => void) {
    this.#world = world;
    this.service = service;
    this.#onEnd = onEnd;
    this.#attends = world.random.chance(0.5);
    this.#delimits = world.random.chance(0.8);
    this.process = new Process(name, world.clock);
    this.#connect();
    this.process.every(tickMs(world.configuration.heartbeat), () => this.#tick());
  }

  /** Registered, as far as it knows itself. */
  get ready(): boolean {
    return this.#heard;
  }

  /** As SIGTERM does: it finishes what it has. */
  leave() {
    this.#leaving = true;
    if (!this.#busy) this.#end();
  }

  /** As SIGKILL does. */
  kill(kept: number) {
    this.#world.network.end(this.process, { kept });
  }

  #connect() {
    const { network, configuration } = this.#world;
    this.#socket?.close(0);
    this.#inbox = [];
    const socket = network.connectPlainly(this.process, (frames) => this.#receive(frames, socket));
    this.#socket = socket;
    this.#heard = false;
    this.#expiry = this.process.now + leaseMs(configuration.heartbeat);
    this.#send({ name: "READY", service: Buffer.from(this.service), credit: null });
  }

  #lose() {
    this.#socket?.close(0);
    this.#socket = null;
    this.#inbox = [];
    this.process.after(RECONNECT_MS, () => this.#connect());
  }

  #tick() {
    if (!this.#socket) return;
    if (this.#busy && !this.#attends) return;
    if (this.process.now >= this.#expiry) this.#connect();
    else if (this.process.now >= this.#heartbeatAt) this.#send({ name: "HEARTBEAT" });
  }

  #receive(frames: Frame[], socket = this.#socket) {
    if (socket !== this.#socket) return;
    const command = decode(frames);
    if (command.header !== "worker") return;
    this.#heard = true;
    this.#expiry = this.process.now + leaseMs(this.#world.configuration.heartbeat);
    if (this.#busy && (command.name === "REQUEST" || !this.#attends)) this.#inbox.push(frames);
    else if (command.name === "DISCONNECT") this.#lose();
    else if (command.name === "REQUEST") this.#serve(command, socket);
  }

  #serve(request: Request, socket: Connected | null) {
    const { history, healed, configuration } = this.#world;
    const worker = this.process.name;
    const { name, how } = taskOf(request.body);
    this.#begun += 1;
    const id = `${worker}/${this.#begun}`; // What it was given has no name of its own.
    history.push({ event: "began", worker, id, request: name });
    this.#busy = true;
    if (how === "poison" && !healed) return this.#die(name);
    const hangMs = healed ? 1 : 2 * leaseMs(configuration.heartbeat);
    const ms = typeof how === "number" ? how : how === "hang" ? hangMs : 1;
    this.process.after(ms, () => this.#finish(request, id, name, socket));
  }

  #die(name: string) {
    this.process.after(1, () => {
      this.#world.trace.event(() => `${this.process.name} dies of ${name}`);
      this.kill(Number.POSITIVE_INFINITY);
      this.#onEnd();
    });
  }

  #finish({ client }: Request, id: string, name: string, socket: Connected | null) {
    this.#world.history.push({ event: "finished", worker: this.process.name, id });
    this.#busy = false;
    if (socket === this.#socket)
      this.#send({ name: "REPLY", client, body: replyOf(name, this.process.name) });
    if (this.#leaving) return this.#end();
    while (!this.#busy && this.#inbox.length > 0) this.#receive(this.#inbox.shift() as Frame[]);
  }

  #end() {
    this.#send({ name: "DISCONNECT" });
    this.#socket?.close(LINGER_MS);
    this.process.end();
    this.#onEnd();
  }

  #send(command: CommandToSend) {
    const { random, configuration, healed } = this.#world;
    this.#heartbeatAt = this.process.now + configuration.heartbeat.intervalMs;
    let frames = encode({ header: "worker", dialect, ...command });
    if (command.name === "REPLY" && !this.#delimits) frames = frames.toSpliced(DELIMITER_AT, 1);
    this.#socket?.send(frames);
    // A REPLY said twice may be taken for that to the next request of the same client.
    const once = command.name === "REPLY";
    if (!once && !healed && random.chance(configuration.oddities.stutter))
      this.#socket?.send(frames);
  }
}

type WithoutHeader<C> = C extends { header: "worker" } ? Omit<C, "header" | "dialect"> : never;
type CommandToSend = WithoutHeader<Command>;

const RECONNECT_MS = 100;
const LINGER_MS = 1000;
const DELIMITER_AT = 4;
