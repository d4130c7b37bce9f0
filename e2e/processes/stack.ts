// A broker and its workers as local processes, with a client in this process. Disposal ends all.

import { Client, type ClientOptions } from "../../clients/client.ts";
import { transport } from "../transport.ts";
import { freeEndpoint, Program } from "./program.ts";

export class Stack implements AsyncDisposable {
  readonly endpoint: string;
  broker: Program;
  readonly client: Client;
  #settings: Record<string, string>;
  #programs: Program[] = [];

  /** Resolves when the broker listens. Every program of the stack gets the settings. */
  static async start(settings: Record<string, string> = {}, options: ClientOptions = {}) {
    const endpoint = await freeEndpoint();
    const stack = new Stack(endpoint, settings, options);
    await stack.broker.logged("broker.listening");
    return stack;
  }

  private constructor(endpoint: string, settings: Record<string, string>, options: ClientOptions) {
    this.endpoint = endpoint;
    this.#settings = { ...settings, MDP_BIND: endpoint, MDP_BROKER: endpoint };
    this.broker = this.program("broker/main.ts");
    this.client = new Client(endpoint, { transport, ...options });
  }

  /** `settings` override those of the stack. */
  program(file: string, args: string[] = [], settings: Record<string, string> = {}): Program {
    const program = new Program(file, args, { ...this.#settings, ...settings });
    this.#programs.push(program);
    return program;
  }

  /** Starts a worker, and resolves when the broker has registered it. */
  async worker(file: string): Promise<Program> {
    const before = this.registered;
    const worker = this.program(file);
    await this.broker.logged("worker.registered", () => this.registered > before);
    return worker;
  }

  /** The registrations that the broker has logged, those of former workers too. */
  get registered(): number {
    return this.broker.log.filter(({ event }) => event === "worker.registered").length;
  }

  async restartBroker() {
    this.broker = this.program("broker/main.ts");
    await this.broker.logged("broker.listening");
  }

  async [Symbol.asyncDispose]() {
    this.client.close();
    await Promise.all(this.#programs.map((program) => program.destroy()));
  }
}
