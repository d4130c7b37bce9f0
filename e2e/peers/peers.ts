// Programs around one broker, ours and others': those in Python and in C are on libzmq, and were
// written from the specifications. All are gone when the test is over.

import { Program } from "../processes/program.ts";
import { binaryOf, interpreter } from "./tools.ts";

export type Body = (string | Buffer)[];

export class Peers implements AsyncDisposable {
  readonly endpoint: string;
  #programs: Program[] = [];

  constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  /** A program of ours. */
  ours(file: string, args: string[] = [], settings: Record<string, string> = {}): Program {
    return this.#add(new Program(file, args, { MDP_BROKER: this.endpoint, ...settings }));
  }

  /** One of those here that is in Python: it connects to the endpoint, and the rest is up to it. */
  python(name: string, ...args: string[]): Program {
    const file = `e2e/peers/${name}.py`;
    return this.#add(new Program(file, [this.endpoint, ...args], {}, [interpreter()]));
  }

  /** One in C. */
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

/** Requests on the command line of a client: frames in hex with commas between them. */
export const asArguments = (bodies: Body[]) => bodies.map((body) => asHex(body).join(","));

export const asHex = (body: Body) => body.map((frame) => Buffer.from(frame).toString("hex"));

/** What a client printed of this kind, in the order in which it came. */
export const came = (client: Program, ...events: string[]) =>
  client.log.filter(({ event }) => events.includes(event ?? "")).map(({ frames }) => frames);

/** Resolves once the program has logged this event so many times. */
export const times = (program: Program, event: string, count: number) =>
  program.logged(event, () => program.log.filter((line) => line.event === event).length >= count);
