// The trace of a simulated run: one line per event, with the commands of 7/MDP, as the broker saw it:
//
//   t=1234 ms  w3 > broker  REPLY #17 c2-5
//
// c2-5 names a request and w3 a process; #17 is the broker's 17th request.

import { MDP_0_1 } from "../../protocol/dialects.ts";
import type { Address, Frame } from "../../protocol/frame.ts";
import { type ClientCommand, decode, type WorkerCommand } from "../../protocol/mdp.ts";
import type { Clock } from "./clock.ts";

export class Trace {
  readonly lines: string[] = [];
  #clock: Clock;
  #on: boolean;
  #nameOf: (address: Address) => string | undefined;

  /** `nameOf` returns the process name of an address. */
  constructor(clock: Clock, on: boolean, nameOf: (address: Address) => string | undefined) {
    this.#clock = clock;
    this.#on = on;
    this.#nameOf = nameOf;
  }

  message(from: string, to: string, frames: Frame[]) {
    if (this.#on) this.#add(`${from} > ${to}  ${this.#show(frames)}`);
  }

  event(sentence: () => string) {
    if (this.#on) this.#add(sentence());
  }

  #add(line: string) {
    this.lines.push(`t=${this.#clock.now.toFixed(1)} ms  ${line}`);
  }

  #show(frames: Frame[]): string {
    const command = decode(frames);
    switch (command.header) {
      case "invalid":
        return `(${command.reason}) ${this.#text(frames)}`;
      case "client":
        return `${headOf(command)}${this.#text([command.service])}: ${this.#text(command.body)}`;
      case "worker":
        return [command.name, this.#text(restOf(command))].join(" ").trimEnd();
    }
  }

  #text(frames: Frame[]): string {
    return frames.map((frame) => this.#word(frame)).join(" ");
  }

  #word(frame: Frame): string {
    const text = frame.toString("latin1");
    if (/^[!-~]{0,80}$/.test(text)) return text === "" ? '""' : text;
    const name = this.#nameOf(text);
    if (name) return name;
    if (frame.length === REQUEST_ID_BYTES) return `#${frame.readBigUInt64BE(8)}`;
    return /^[ -~]+$/.test(text) ? JSON.stringify(text) : `(${frame.length} bytes)`;
  }
}

const REQUEST_ID_BYTES = 16;

/** Returns the command word, which 0.1 does not carry. */
function headOf({ name, dialect }: ClientCommand): string {
  if (dialect === MDP_0_1) return "";
  return name === "REPLY" ? "FINAL " : `${name} `;
}

function restOf(command: WorkerCommand): Frame[] {
  switch (command.name) {
    case "READY":
      return [
        command.service,
        ...(command.credit === null ? [] : [Buffer.from(String(command.credit))]),
      ];
    case "REQUEST":
    case "PARTIAL":
    case "REPLY":
      return [command.client, ...command.body];
    default:
      return [];
  }
}
