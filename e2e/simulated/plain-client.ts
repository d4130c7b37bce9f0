// A client as in the ZeroMQ Guide, with one dialect and no extension. It opens a socket per try and
// gives up after a few tries. With "stutter" it sends a request twice.

import { type Dialect, MDP_0_1, MDP_0_2 } from "../../protocol/dialects.ts";
import { decodeErrorReply } from "../../protocol/error-reply.ts";
import type { Frame } from "../../protocol/frame.ts";
import { decode, encode } from "../../protocol/mdp.ts";
import type { Connected } from "../../transport/transport.ts";
import type { Outcome } from "../history.ts";
import { ClientRecord } from "./client-record.ts";
import { Process } from "./process.ts";
import { Reading } from "./reading.ts";
import { bodyOf, type Task } from "./task.ts";
import type { World } from "./world.ts";

export class PlainClient {
  readonly process: Process;
  #world: World;
  #dialect: Dialect;
  #envelope: Frame[];
  #record: ClientRecord;
  #pending = new Set<string>(); // Requests without an outcome.

  constructor(world: World, name: string) {
    const { clock, random } = world;
    this.#world = world;
    this.process = new Process(name, clock);
    this.#record = new ClientRecord(world, name);
    this.#dialect = random.pick([MDP_0_1, MDP_0_2]);
    const before = Array.from({ length: random.whole(0, 2) }, () => random.bytes(3));
    this.#envelope = [...before, ...this.#dialect.delimiter];
  }

  get outstanding(): number {
    return this.#pending.size;
  }

  ask(task: Task): null {
    this.#record.asked(task);
    this.#pending.add(task.name);
    this.#try(task, 1);
    return null; // This client sends no calls.
  }

  /** Ends at once, as on SIGKILL; at most `kept` messages per connection still arrive. */
  kill(kept: number) {
    const { history, network } = this.#world;
    network.end(this.process, { kept });
    history.push({ event: "client.gone", client: this.process.name });
    this.#pending.clear();
  }

  #try(task: Task, nth: number) {
    const { network, random, configuration, healed } = this.#world;
    const readings = new Map<string, Reading>(); // A stuttering client may get two executions.
    const socket = network.connectPlainly(this.process, (frames) =>
      this.#receive(task, frames, socket, readings),
    );
    const service = Buffer.from(task.service);
    const body = [...bodyOf(task), Buffer.from(`try ${nth}`)];
    const frames = encode({
      header: "client",
      dialect: this.#dialect,
      name: "REQUEST",
      envelope: this.#envelope,
      service,
      body,
    });
    socket.send(frames);
    if (!healed && random.chance(configuration.oddities.stutter)) socket.send(frames);
    this.process.after(task.timeoutMs / TRIES, () => this.#timeOut(task, nth, socket));
  }

  #receive(task: Task, frames: Frame[], socket: Connected, readings: Map<string, Reading>) {
    const command = decode(frames);
    if (command.header !== "client" || command.dialect !== this.#dialect) return;
    if (!this.#pending.has(task.name)) return;
    const { name, body } = command;
    const failure = name === "PARTIAL" ? null : decodeErrorReply(body);
    if (!failure) this.#read(body, name === "PARTIAL", readings);
    if (name === "PARTIAL") return;
    this.#end(task, failure ? { refused: failure.sentence } : { answers: String(body[0]) });
    socket.close(0);
  }

  #read(body: Frame[], goesOn: boolean, readings: Map<string, Reading>) {
    const { stutter } = this.#world.configuration.oddities;
    const which = stutter > 0 ? String(body[1]) : "";
    const reading = readings.get(which) ?? new Reading(this.process.name, { repeats: false });
    readings.set(which, reading);
    reading.add(body);
    if (!goesOn) reading.end();
  }

  #timeOut(task: Task, nth: number, socket: Connected) {
    if (!this.#pending.has(task.name)) return;
    socket.close(0);
    if (nth < TRIES) this.#try(task, nth + 1);
    else this.#end(task, { unknown: "no reply" });
  }

  #end(task: Task, outcome: Outcome) {
    this.#pending.delete(task.name);
    this.#record.ended(task, outcome);
  }
}

const TRIES = 3;
