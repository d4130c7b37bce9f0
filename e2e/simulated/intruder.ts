// A peer that breaks the protocol. It sends messages that no correct peer sends. It either takes
// requests without answering them, or answers requests of other workers.

import { CALL } from "../../protocol/call.ts";
import {
  type ClientCommandName,
  DIALECTS,
  type Dialect,
  MDP_0_2,
  streams,
} from "../../protocol/dialects.ts";
import type { Frame } from "../../protocol/frame.ts";
import { type Command, decode, encode } from "../../protocol/mdp.ts";
import type { Connected } from "../../transport/transport.ts";
import { Process } from "./process.ts";
import type { World } from "./world.ts";

/** The body of every forged message; no client may ever receive it. */
export const FORGED = Buffer.from("forged");

export class Intruder {
  readonly process: Process;
  #world: World;
  #socket: Connected;
  #dialect: Dialect; // The dialect of nine messages in ten.
  // Registers under a service of its own, so that it gets no request, and forges replies.
  #forges: boolean;

  constructor(world: World, name: string, everyMs: number) {
    this.#world = world;
    this.#forges = world.random.chance(0.5);
    this.#dialect = world.random.pick(DIALECTS);
    this.process = new Process(name, world.clock);
    this.#socket = this.#connect();
    this.#goOn(everyMs);
  }

  #connect(): Connected {
    return this.#world.network.connectPlainly(this.process, (frames) => this.#receive(frames));
  }

  #receive(frames: Frame[]) {
    const command = decode(frames);
    if (command.header === "client" && String(command.body[0]) === "400")
      this.#world.sightings.see("a client got 400");
  }

  #goOn(everyMs: number) {
    this.process.after(this.#world.random.around(everyMs), () => {
      this.#socket.send(this.#message());
      if (this.#world.random.chance(0.05)) {
        this.#socket.close(0);
        this.#socket = this.#connect();
      }
      this.#goOn(everyMs);
    });
  }

  #message(): Frame[] {
    const { random, configuration } = this.#world;
    const service = Buffer.from(random.pick(configuration.services).name);
    const own = this.#forges ? Buffer.from(this.process.name) : service;
    const dialect = random.chance(0.1) ? random.pick(DIALECTS) : this.#dialect;
    const worker = (command: WithoutHeader<Command>) =>
      encode({ header: "worker", dialect, ...command });
    const asks = (wanted: string, ...body: Frame[]) =>
      client(dialect, "REQUEST", Buffer.from(wanted), body);
    const management = random.pick(["mmi.service", "mmi.stats", "mmi.workers", "mmi.nothing"]);
    const make = random.pick([
      () => this.#noise(),
      () => worker({ name: "HEARTBEAT" }),
      () => worker({ name: "DISCONNECT" }),
      () => worker({ name: "REQUEST", client: random.bytes(16), body: [FORGED] }),
      () => worker({ name: "READY", service: Buffer.from("mmi.mine"), credit: 1 }),
      () => worker({ name: "READY", service: own, credit: random.whole(1, 3) }),
      () => worker({ name: "READY", service: random.bytes(3), credit: null }),
      () => worker({ name: "REPLY", client: this.#others(), body: [FORGED] }),
      () =>
        worker({
          name: streams(dialect) ? "PARTIAL" : "REPLY",
          client: this.#others(),
          body: [FORGED],
        }),
      () => asks(management, service),
      () => asks(`nobody ${random.whole(0, 200)}`, Buffer.from(this.process.name)),
      () => asks(CALL.toString(), service, Buffer.from("{"), Buffer.from("x")),
      () => asks(CALL.toString(), service),
      () => asks(String(service), Buffer.alloc(configuration.limits.messageBytesMax)),
      () => this.#reply(service),
    ]);
    return make();
  }

  /** Returns a client-side PARTIAL or REPLY, which no client has a reason to send. */
  #reply(service: Frame): Frame[] {
    return client(MDP_0_2, this.#world.random.pick(["PARTIAL", "REPLY"]), service, [FORGED]);
  }

  /** Returns the client frame of another worker's request, or of none. */
  #others(): Frame {
    const { random, overheard } = this.#world;
    const lately = this.#forges ? overheard.at(-random.whole(1, 5)) : undefined;
    return lately ?? random.bytes(16);
  }

  #noise(): Frame[] {
    const { random } = this.#world;
    return Array.from({ length: random.whole(0, 4) }, () =>
      random.pick([random.bytes(3), Buffer.alloc(0), ...HEADERS]),
    );
  }
}

type WithoutHeader<C> = C extends { header: "worker" } ? Omit<C, "header" | "dialect"> : never;

const client = (dialect: Dialect, name: ClientCommandName, service: Frame, body: Frame[]) =>
  encode({ header: "client", dialect, name, envelope: dialect.delimiter, service, body });

const HEADERS = DIALECTS.flatMap(({ clientHeader, workerHeader }) => [clientHeader, workerHeader]);
