// Programs around one broker: ours, and foreign ones in Python and C, which use libzmq and were
// written from the specifications. Disposal ends all.

import { Program } from "../processes/program.ts";
import { binaryOf, interpreter } from "./tools.ts";

export type Body = (string | Buffer)[];

export class Peers implements AsyncDisposable {
  readonly endpoint: string;
  #programs: Program[] = [];

  constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  /** Starts a program of ours. */
  ours(file: string, args: string[] = [], settings: Record<string, string> = {}): Program {
    return this.#add(new Program(file, args, { MDP_BROKER: this.endpoint, ...settings }));
  }

  /** Starts a Python program of this folder. Its first argument is the endpoint. */
  python(name: string, ...args: string[]): Program {
    const file = `e2e/peers/${name}.py`;
    return this.#add(new Program(file, [this.endpoint, ...args], {}, [interpreter()]));
  }

  /** Starts a C program of this folder. Its first argument is the endpoint. */
  c(name: string, ...args: string[]): Program {
    return this.#add(new Program(binaryOf(name), [this.endpoint, ...args], {}, []));
  }

  async [Symbol.asyncDispose]() {
    await Promise.all(this.#programs.map((program) => program.destroy()));
  }

  #add(program: Program): Program {
    this.#programs.push(program);
    return program;
  }
}

/** Requests for the command line of a client: frames in hex, separated by commas. */
export const asArguments = (bodies: Body[]) => bodies.map((body) => asHex(body).join(","));

export const asHex = (body: Body) => body.map((frame) => Buffer.from(frame).toString("hex"));

/** The frames that a program printed with these events, in order. */
export const came = (client: Program, ...events: string[]) =>
  client.log.filter(({ event }) => events.includes(event ?? "")).map(({ frames }) => frames);

/** Resolves when the program has logged the event so many times. */
export const times = (program: Program, event: string, count: number) =>
  program.logged(event, () => program.log.filter((line) => line.event === event).length >= count);
