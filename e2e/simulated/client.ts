// A client of the simulation: the real ClientSession, as clients/client.ts runs it.

import type { Outcome } from "../../clients/outcome.ts";
import { ClientSession, type Effect, STATUS_GRACE_MS } from "../../clients/session.ts";
import { CALL, decodeCall, decodeStatus, encodeCall, STATUS } from "../../protocol/call.ts";
import { decodeErrorReply } from "../../protocol/error-reply.ts";
import type { Frame } from "../../protocol/frame.ts";
import { decode, encode } from "../../protocol/mdp.ts";
import type { Connected } from "../../transport/transport.ts";
import type { Outcome as Ending } from "../history.ts";
import { ClientRecord } from "./client-record.ts";
import { Process } from "./process.ts";
import { Reading } from "./reading.ts";
import type { Sight } from "./sometimes.ts";
import { bodyOf, type Task } from "./task.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** A task with the call id under which the broker knows it. */
export type AnyCall = { id: string; task: Task };

type Pending = {
  task: Task;
  by: number; // The outcome must come before this time.
  inParts: boolean;
  reading: Reading;
};

export class SimulatedClient {
  readonly process: Process;
  #world: World;
  #record: ClientRecord;
  #session: ClientSession;
  #socket: Connected | null = null;
  #pending = new Map<number, Pending>(); // Requests without an outcome, by number.
  #askedPlainly = new Map<string, number>(); // How often each name went out as a plain request.
  #ticking = false;

  constructor(world: World, name: string) {
    const { clock, random, configuration } = world;
    const { silenceMs, tries } = configuration;
    this.#world = world;
    this.process = new Process(name, clock);
    this.#record = new ClientRecord(world, name);
    this.#session = new ClientSession({
      silenceMs,
      tries,
      random: () => random.next(),
      newId: () => this.#newId(),
    });
  }

  get outstanding(): number {
    return this.#pending.size;
  }

  /**
   * Returns how often a request went out without a call id, so that the broker may run it again.
   */
  timesAskedPlainly(name: string): number {
    return this.#askedPlainly.get(name) ?? 0;
  }

  /**
   * Sends a request. With the `call` of an earlier task, also of another client, it repeats that
   * call.
   */
  ask(task: Task, call: AnyCall = { id: this.#newId(), task }): AnyCall {
    const { random, configuration, healed } = this.#world;
    const { name: client, now } = this.process;
    this.#record.asked(task, call.task === task ? undefined : call.task.name);
    const deadline = now + task.timeoutMs;
    const [service, body] = [Buffer.from(task.service), bodyOf(call.task)];
    const inParts = random.chance(0.5);
    const options = { callId: call.id, inParts };
    const [id, effects] = this.#session.request(service, body, deadline, now, options);
    const reading = new Reading(client, { repeats: configuration.oddities.stutter > 0 });
    this.#pending.set(id, {
      task,
      by: deadline + STATUS_GRACE_MS,
      inParts,
      reading,
    });
    this.#perform(effects);
    this.#keepTime();
    if (!healed && random.chance(configuration.oddities.cancelled))
      this.process.after(random.between(0, task.timeoutMs), () => this.#cancel(id));
    return call;
  }

  /** Throws a Violation if a reply came twice, unless this client duplicates messages. */
  checkStrays() {
    const { duplicate } = this.#session.unmatchedReplies;
    if (duplicate > 0 && this.#world.configuration.oddities.stutter === 0)
      throw new Violation("S2", `${this.process.name} got ${duplicate} duplicate replies`);
  }

  /** Ends at once, as on SIGKILL; at most `kept` messages per connection still arrive. */
  kill(kept: number) {
    this.checkStrays();
    const { history, network } = this.#world;
    network.end(this.process, { kept });
    history.push({ event: "client.gone", client: this.process.name });
    this.#pending.clear();
  }

  #newId = () => this.#world.random.bytes(16).toString("hex");

  #perform(effects: Effect[]) {
    for (const effect of effects) {
      switch (effect.do) {
        case "connect":
          this.#socket = this.#connect();
          break;
        case "close":
          this.#socket?.close(0);
          this.#socket = null;
          break;
        case "send":
          this.#send(effect.frames);
          break;
        case "part":
          this.#part(effect.id, effect.body);
          break;
        case "settle":
          this.#settle(effect.id, effect.outcome);
          break;
      }
    }
  }

  #send(asDecided: Frame[]) {
    const { random, configuration, healed } = this.#world;
    const patient = random.chance(0.3) ? wantingProgress(asDecided) : asDecided;
    const frames = healed ? patient : this.#withOptions(patient);
    this.#socket?.send(frames);
    const name = plainTaskOf(frames);
    if (name !== null) return this.#noteAskedPlainly(name);
    if (!healed && random.chance(configuration.oddities.stutter)) this.#socket?.send(frames);
  }

  /** Adds the option `wait` or `linger` to some calls. Returns all other frames unchanged. */
  #withOptions(frames: Frame[]): Frame[] {
    const { random, configuration } = this.#world;
    if (!random.chance(configuration.oddities.impatient)) return frames;
    const command = decode(frames);
    if (command.header !== "client" || !command.service.equals(CALL)) return frames;
    const call = decodeCall(command.body);
    if ("reason" in call) return frames;
    const ms = () => random.pick([0, random.whole(1, call.options.ttl ?? 1)]);
    const more = random.pick([{ wait: ms() }, { linger: ms() }, { wait: ms(), linger: ms() }]);
    const body = encodeCall({ ...call, options: { ...call.options, ...more } });
    return encode({ ...command, name: "REQUEST", body });
  }

  /** A plain request must not be duplicated: it would be two requests. */
  #noteAskedPlainly(name: string) {
    this.#world.sightings.see(
      "a client sent a plain request since its capability probe was answered late",
    );
    this.#askedPlainly.set(name, this.timesAskedPlainly(name) + 1);
  }

  #connect(): Connected {
    const timing = { deadAfterMs: 4 * this.#world.configuration.silenceMs };
    return this.#world.network.connect(this.process, timing, {
      opened: () => this.#session.opened(this.process.now),
      message: (frames) => {
        if (!isProgress(frames)) this.#perform(this.#session.receive(frames, this.process.now));
      },
      gone: () => this.#perform(this.#session.gone(this.process.now)),
      failed: (failure) => this.#session.failed(failure),
    });
  }

  #part(id: number, body: Frame[]) {
    const pending = this.#pending.get(id);
    if (!pending?.inParts)
      throw new Violation("S10", `${this.process.name} got a part of its request ${id}`);
    pending.reading.add(body);
  }

  #settle(id: number, outcome: Outcome) {
    const pending = this.#pending.get(id);
    if (!pending)
      throw new Violation("S2", `${this.process.name} got two outcomes of its request ${id}`);
    const ending = endingOf(outcome);
    if ("reply" in outcome && "answers" in ending) {
      pending.reading.add(outcome.reply);
      pending.reading.end();
    }
    this.#end(id, pending, ending);
    if ("failed" in outcome && outcome.failed === "broken off")
      this.#world.sightings.see("a client lost its broker in the middle of a reply");
    if ("failed" in outcome && outcome.failed === "no broker" && outcome.reason !== null)
      this.#world.sightings.see("a request ended while its client could not connect");
    if ("refused" in outcome)
      this.#world.sightings.see(TOLD[outcome.refused] ?? "a client got 400");
    if ("reply" in outcome && "refused" in ending)
      this.#world.sightings.see("a service replied with an error");
  }

  #cancel(id: number) {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#perform(this.#session.cancel(id));
    this.#end(id, pending, { unknown: "cancelled" });
  }

  #end(id: number, { task }: Pending, outcome: Ending) {
    this.#pending.delete(id);
    this.#record.ended(task, outcome);
  }

  /** Ticks while a request is outstanding, as clients/client.ts does. */
  #keepTime() {
    if (this.#ticking || !this.process.alive) return;
    this.#ticking = true;
    this.process.after(CLOCK_MS, () => {
      this.#ticking = false;
      this.#perform(this.#session.tick(this.process.now));
      this.#checkDeadlines();
      if (this.#session.outstanding > 0) this.#keepTime();
    });
  }

  #checkDeadlines() {
    const { now, name } = this.process;
    for (const { task, by } of this.#pending.values()) {
      if (by <= now) throw new Violation("S1", `${name} got no outcome of ${task.name} in time`);
    }
  }
}

/** Returns the name in a plain request, or null for other frames. */
function plainTaskOf(frames: Frame[]): string | null {
  const command = decode(frames);
  if (command.header !== "client" || command.service.toString().startsWith("mmi.")) return null;
  return String(command.body[0]);
}

/** The same call with the options `progress` and `headers`; other messages stay as they are. */
function wantingProgress(frames: Frame[]): Frame[] {
  const command = decode(frames);
  if (command.header !== "client" || !command.service.equals(CALL)) return frames;
  const call = decodeCall(command.body);
  if ("reason" in call) return frames;
  const options = { ...call.options, progress: true, headers: { trace: "7" } } as const;
  return encode({ ...command, body: encodeCall({ ...call, options }) });
}

/** The session knows no progress. */
function isProgress(frames: Frame[]): boolean {
  const command = decode(frames);
  if (command.header !== "client" || !command.service.equals(CALL)) return false;
  return decodeStatus(command.body)?.status === STATUS.progress;
}

const CLOCK_MS = 25;

const TOLD: Record<number, Sight> = {
  404: "a client got 404",
  408: "a client got 408",
  409: "a client got 409",
  410: "a client got 410",
  429: "a client got 429",
  502: "a client got 502",
  503: "a client got 503",
  504: "a client got 504",
};

function endingOf(outcome: Outcome): Ending {
  if ("failed" in outcome) return { unknown: outcome.failed };
  if ("refused" in outcome) return { refused: `${outcome.refused} ${outcome.sentence}` };
  const failure = decodeErrorReply(outcome.reply);
  if (failure) return { refused: `${failure.code} ${failure.sentence}` };
  return { answers: String(outcome.reply[0]) };
}
