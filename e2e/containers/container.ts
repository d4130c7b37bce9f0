// A program in a container, with its log lines as they come, over all its lives.

import { createInterface } from "node:readline";
import {
  GenericContainer,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from "testcontainers";
import { ProcessLog } from "../process-log.ts";
import { engine, IMAGE, LABEL, RUN } from "./engine.ts";

export type ContainerOptions = {
  name: string; // In the network, its host name too.
  aliases?: string[]; // Other names in the network.
  settings?: Record<string, string>; // Its environment.
  ports?: { container: number; host: number }[]; // Published here, the same in all its lives.
  mounts?: { source: string; target: string; mode?: "ro" }[]; // Volumes by name, where they go.
  tmpfs?: Record<string, string>; // Memory as a disk: where it goes, and its options.
  image?: string;
};

export class Container extends ProcessLog {
  readonly aliases: string[];
  #started: StartedTestContainer;
  #network: string;
  #life = 0;
  #removed = false;

  /** Runs a program of the image. Resolves once it has said its first line. */
  static async start(command: string, network: StartedNetwork, options: ContainerOptions) {
    const { name, aliases = [], settings = {}, ports = [], mounts = [], tmpfs = {} } = options;
    const started = await new GenericContainer(options.image ?? IMAGE)
      .withName(`${RUN}-${name}`)
      .withCommand(command === "" ? [] : command.split(" "))
      .withNetwork(network)
      .withNetworkAliases(name, ...aliases)
      .withHostname(name)
      .withEnvironment(settings)
      .withExposedPorts(...ports)
      .withBindMounts(mounts)
      .withTmpFs(tmpfs)
      .withLabels({ [LABEL]: RUN })
      .withWaitStrategy(Wait.forLogMessage(/./))
      .start();
    const container = new Container(options, started, network.getName());
    await container.#follow(0);
    return container;
  }

  private constructor(options: ContainerOptions, started: StartedTestContainer, network: string) {
    super(options.name);
    this.aliases = options.aliases ?? [];
    this.#started = started;
    this.#network = network;
  }

  get id(): string {
    return this.#started.getId();
  }

  /** The engine's own handle. */
  async handle() {
    return (await engine()).getContainer(this.id);
  }

  async inspect() {
    return (await this.handle()).inspect();
  }

  /** Its place in the network. */
  async endpoint() {
    const endpoint = (await this.inspect()).NetworkSettings.Networks[this.#network];
    if (!endpoint) throw new Error(`${this.name} is not in the network`);
    return endpoint;
  }

  /** Runs a command in it, and resolves to what that printed. Rejects if it failed. */
  async run(...command: string[]): Promise<string> {
    const { exitCode, output } = await this.#started.exec(command);
    if (exitCode !== 0) throw new Error(`${command.join(" ")} in ${this.name}: ${output}`);
    return output;
  }

  /** Resolves to its exit code once it has ended. */
  async ended(): Promise<number> {
    return (await (await this.handle()).wait()).StatusCode;
  }

  /** Another life, after it has ended. */
  async startAgain() {
    await (await this.handle()).start();
    await this.followAgain();
  }

  /** To be called when the engine has started it again. */
  async followAgain() {
    this.reopen();
    const { StartedAt } = (await this.inspect()).State;
    await this.#follow(Date.parse(StartedAt) / 1000);
  }

  async remove() {
    if (this.#removed) return;
    this.#removed = true;
    await (await this.handle()).remove({ force: true, v: true });
  }

  async #follow(since: number) {
    this.#life += 1;
    const life = this.#life;
    createInterface({ input: await this.#started.logs({ since }) })
      .on("line", (line) => this.read(line))
      .on("close", () => {
        if (life === this.#life) this.close();
      });
  }
}
