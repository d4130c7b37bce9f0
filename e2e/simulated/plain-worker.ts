// A worker as in the ZeroMQ Guide, with one dialect and one request at a time. Half of them have no
// extension. The others send READY with keys and progress, and return requests when they leave. Many
// of them send no heartbeats while they work. In 18/MDP it replies in parts. With "stutter" it sends
// messages twice.

import { DIALECTS, type Dialect, streams } from "../../protocol/dialects.ts";
import { decodeErrorReply } from "../../protocol/error-reply.ts";
import type { Frame } from "../../protocol/frame.ts";
import { leaseMs, tickMs } from "../../protocol/heartbeat.ts";
import { type Command, decode, encode } from "../../protocol/mdp.ts";
import type { Pair } from "../../protocol/pairs.ts";
import { type About, FEATURES, type Feature } from "../../protocol/ready.ts";
import type { Connected } from "../../transport/transport.ts";
import { type Step, stepsOf } from "./handler.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { orderOf } from "./task.ts";
import type { World } from "./world.ts";

type Request = Extract<Command, { header: "worker"; name: "REQUEST" }>;

/** The request in progress. */
type Work = {
  client: Frame;
  id: string; // An execution id of its own: a plain REQUEST carries none.
  socket: Connected | null; // The socket that delivered the request.
  gathered: Frame[]; // The parts of a reply that must go out as one.
};

export class PlainWorker {
  readonly process: Process;
  readonly service: string;
  #world: World;
  #dialect: Dialect;
  #about: About | null; // Null: it has no extension.
  #socket: Connected | null = null;
  #heard = false; // The broker has sent something on this socket.
  #busy = false;
  #begun = 0;
  #leaving = false;
  #inbox: Frame[][] = []; // Messages that came while it was busy.
  #heartbeatAt = 0; // The time of the next HEARTBEAT.
  #expiry = 0; // The time to reconnect.
  #attends: boolean; // Reads the broker's messages and sends heartbeats while it is busy.
  #isLate = false; // Its request makes it silent for longer than a lease.
  #delimits: boolean; // Puts the empty frame before the body of its REPLY, as 7/MDP says.
  #onEnd: () => void;

  constructor(world: World, name: string, service: string, onEnd: () => void) {
    this.#world = world;
    this.service = service;
    this.#onEnd = onEnd;
    this.#dialect = world.random.pick(DIALECTS);
    this.#about = world.random.chance(0.5) ? aboutOf(world.random) : null;
    this.#attends = world.random.chance(0.5);
    this.#delimits = world.random.chance(0.8);
    this.process = new Process(name, world.clock);
    this.#connect();
    this.process.every(tickMs(world.configuration.heartbeat), () => this.#tick());
  }

  /** Returns whether the worker believes that it is registered. */
  get ready(): boolean {
    return this.#heard;
  }

  /** Finishes its request and leaves, as on SIGTERM. */
  leave() {
    this.#leaving = true;
    if (!this.#busy) return this.#end();
    if (!this.#knows("shares") || !this.#socket) return;
    const waiting = this.#inbox.map((frames) => decode(frames, true)).filter(isRequest);
    this.#inbox = [];
    const addresses = waiting.map(({ client }) => client);
    const pairs: Pair[] = [
      { name: "limit", limit: 0 },
      { name: "returned", addresses },
    ];
    this.#send({ name: "HEARTBEAT", pairs });
  }

  /** Ends at once, as on SIGKILL; at most `kept` messages per connection still arrive. */
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
    const [service, about] = [Buffer.from(this.service), this.#about];
    if (about) this.#send({ name: "READY", service, credit: CREDIT, about });
    else this.#send({ name: "READY", service, credit: null });
  }

  #lose() {
    this.#socket?.close(0);
    this.#socket = null;
    this.#inbox = [];
    this.process.after(RECONNECT_MS, () => this.#connect());
  }

  #tick() {
    if (!this.#socket) return;
    if (this.#busy && !this.#listens) return;
    if (this.process.now >= this.#expiry) this.#connect();
    else if (this.process.now >= this.#heartbeatAt) this.#send({ name: "HEARTBEAT" });
  }

  #receive(frames: Frame[], socket = this.#socket) {
    if (socket !== this.#socket) return;
    const command = decode(frames, this.#about !== null);
    if (command.header !== "worker" || command.dialect !== this.#dialect) return;
    this.#heard = true;
    this.#expiry = this.process.now + leaseMs(this.#world.configuration.heartbeat);
    if (this.#busy && (command.name === "REQUEST" || !this.#listens)) this.#inbox.push(frames);
    else if (command.name === "DISCONNECT") this.#lose();
    else if (command.name === "REQUEST") this.#serve(command, socket);
  }

  #serve({ client, body }: Request, socket: Connected | null) {
    const { history, healed, configuration } = this.#world;
    const worker = this.process.name;
    const order = orderOf(body);
    this.#begun += 1;
    const id = `${worker}/${this.#begun}`;
    history.push({ event: "began", worker, id, request: order.name, at: this.#world.clock.now });
    // A worker with credit has a time limit for each handler, so it hangs instead.
    if (order.how === "swallow" && !healed && !this.#about) return;
    this.#busy = true;
    this.#isLate = order.how === "late" && !healed;
    const hangMs = 2 * leaseMs(configuration.heartbeat);
    this.#go({ client, id, socket, gathered: [] }, stepsOf(order, id, healed, hangMs));
  }

  #go(work: Work, [step, ...rest]: Step[]) {
    if (!step) return;
    this.process.after(step.afterMs, () => {
      if (this.#knows("progress") && work.socket === this.#socket) this.#progress(work);
      if (step.does === "die") return this.#die(work.id);
      if (step.does === "reply") return this.#finish(work, step.body);
      this.#part(work, step.body);
      this.#go(work, rest);
    });
  }

  get #listens(): boolean {
    return this.#attends && !this.#isLate;
  }

  #knows = (word: Feature) => this.#about?.knows.has(word) ?? false;

  #progress({ client }: Work) {
    for (let nth = this.#world.random.whole(0, 2); nth > 0; nth -= 1) {
      const value = this.#world.random.bytes(2);
      this.#send({ name: "HEARTBEAT", pairs: [{ name: "progress", address: client, value }] });
    }
  }

  #die(id: string) {
    this.#world.trace.event(() => `${this.process.name} dies of ${id}`);
    this.kill(Number.POSITIVE_INFINITY);
    this.#onEnd();
  }

  #part({ client, socket, gathered }: Work, body: Frame[]) {
    if (!streams(this.#dialect)) gathered.push(...body);
    else if (socket === this.#socket) this.#send({ name: "PARTIAL", client, body });
  }

  #finish({ client, id, socket, gathered }: Work, last: Frame[]) {
    this.#world.history.push({
      event: "finished",
      worker: this.process.name,
      id,
      at: this.#world.clock.now,
    });
    this.#busy = false;
    const body = decodeErrorReply(last) ? last : [...gathered, ...last];
    if (socket === this.#socket) this.#send({ name: "REPLY", client, body });
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
    const dialect = this.#dialect;
    let frames = encode({ header: "worker", dialect, ...command });
    // The broker may take a duplicated REPLY for the reply to the same client's next request.
    const once = "client" in command;
    if (once && !this.#delimits) frames = frames.toSpliced(dialect.delimiter.length + 3, 1);
    this.#socket?.send(frames);
    if (!once && !healed && random.chance(configuration.oddities.stutter))
      this.#socket?.send(frames);
  }
}

function aboutOf(random: Random): About {
  const words = FEATURES.filter((word) => word !== "pause" && random.chance(0.7));
  return { name: null, knows: new Set(words) };
}

const isRequest = (command: ReturnType<typeof decode>): command is Request =>
  command.header === "worker" && command.name === "REQUEST";

/** The credit of a worker with keys. It takes one request at a time, and keeps the other. */
const CREDIT = 2;

type WithoutHeader<C> = C extends { header: "worker" } ? Omit<C, "header" | "dialect"> : never;
type CommandToSend = WithoutHeader<Command>;

const RECONNECT_MS = 100;
const LINGER_MS = 1000;
