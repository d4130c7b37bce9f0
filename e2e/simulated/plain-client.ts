// A client as in the Guide, which knows 7/MDP and nothing else: it asks on a socket of its own for
// each try, and gives up after a few. If it stutters it asks twice.

import { MDP_0_1 as dialect } from "../../protocol/dialects.ts";
import { decodeFailure } from "../../protocol/failure.ts";
import type { Frame } from "../../protocol/frame.ts";
import { decode, encode } from "../../protocol/mdp.ts";
import type { Connected } from "../../transport/transport.ts";
import type { Outcome } from "../history.ts";
import { Process } from "./process.ts";
import { bodyOf, type Task } from "./task.ts";
import type { World } from "./world.ts";

export class PlainClient {
  readonly process: Process;
  #world: World;
  #envelope: Frame[];
  #asked = new Set<string>(); // What has no outcome yet.

  constructor(world: World, name: string) {
    const { clock, random } = world;
    this.#world = world;
    this.process = new Process(name, clock);
    const before = Array.from({ length: random.whole(0, 2) }, () => random.bytes(3));
    this.#envelope = [...before, ...dialect.delimiter];
  }

  get outstanding(): number {
    return this.#asked.size;
  }

  ask(task: Task): null {
    const { history, trace } = this.#world;
    const client = this.process.name;
    history.push({ event: "asked", request: task.name, client });
    trace.event(() => `${client} asks ${task.service} for ${task.name}`);
    this.#asked.add(task.name);
    this.#try(task, 1);
    return null; // It knows no calls.
  }

  /** As SIGKILL does. */
  kill(kept: number) {
    const { history, network } = this.#world;
    network.end(this.process, { kept });
    history.push({ event: "client.gone", client: this.process.name });
    this.#asked.clear();
  }

  #try(task: Task, nth: number) {
    const { network, random, configuration, healed } = this.#world;
    const socket = network.connectPlainly(this.process, (frames) =>
      this.#receive(task, frames, socket),
    );
    const service = Buffer.from(task.service);
    const body = [...bodyOf(task), Buffer.from(`try ${nth}`)];
    const frames = encode({
      header: "client",
      dialect,
      name: "REQUEST",
      envelope: this.#envelope,
      service,
      body,
    });
    socket.send(frames);
    if (!healed && random.chance(configuration.oddities.stutter)) socket.send(frames);
    this.process.after(task.timeoutMs / TRIES, () => this.#timeOut(task, nth, socket));
  }

  #receive(task: Task, frames: Frame[], socket: Connected) {
    const command = decode(frames);
    if (command.header !== "client" || !this.#asked.has(task.name)) return;
    const failure = decodeFailure(command.body);
    this.#end(task, failure ? { refused: failure.sentence } : { answers: String(command.body[0]) });
    socket.close(0);
  }

  #timeOut(task: Task, nth: number, socket: Connected) {
    if (!this.#asked.has(task.name)) return;
    socket.close(0);
    if (nth < TRIES) this.#try(task, nth + 1);
    else this.#end(task, { unknown: "no reply" });
  }

  #end(task: Task, outcome: Outcome) {
    const { history, trace } = this.#world;
    const client = this.process.name;
    this.#asked.delete(task.name);
    history.push({ event: "ended", request: task.name, client, outcome });
    trace.event(() => `${client} has its outcome of ${task.name}: ${JSON.stringify(outcome)}`);
  }
}

const TRIES = 3;
