// A program in a container, with its log lines over all its restarts.

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
  /** Its name in the network, and its host name. */
  name: string;
  /** Further names in the network. */
  aliases?: string[];
  /** Its environment. */
  settings?: Record<string, string>;
  /** Published ports; the same host port after every restart. */
  ports?: { container: number; host: number }[];
  /** Named volumes and their mount points. */
  mounts?: { source: string; target: string; mode?: "ro" }[];
  /** tmpfs mounts: mount point → options. */
  tmpfs?: Record<string, string>;
  image?: string;
};

export class Container extends ProcessLog {
  readonly aliases: string[];
  #started: StartedTestContainer;
  #network: string;
  #incarnation = 0;
  #removed = false;

  /** Runs a program of the image. Resolves after its first line of output. */
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

  /** Its dockerode handle. */
  async handle() {
    return (await engine()).getContainer(this.id);
  }

  async inspect() {
    return (await this.handle()).inspect();
  }

  /** Its addresses in the network. */
  async networkSettings() {
    const settings = (await this.inspect()).NetworkSettings.Networks[this.#network];
    if (!settings) throw new Error(`${this.name} is not connected to the network`);
    return settings;
  }

  /** Runs a command in the container. Resolves to its output; rejects if the command fails. */
  async run(...command: string[]): Promise<string> {
    const { exitCode, output } = await this.#started.exec(command);
    if (exitCode !== 0) throw new Error(`${command.join(" ")} in ${this.name} failed: ${output}`);
    return output;
  }

  /** Resolves to its exit code when it has ended. */
  async ended(): Promise<number> {
    return (await (await this.handle()).wait()).StatusCode;
  }

  /** Starts the container again after it has ended. */
  async startAgain() {
    await (await this.handle()).start();
    await this.followAgain();
  }

  /** Reads its output again; call it after the engine has restarted the container. */
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
    this.#incarnation += 1;
    const incarnation = this.#incarnation;
    createInterface({ input: await this.#started.logs({ since }) })
      .on("line", (line) => this.read(line))
      .on("close", () => {
        if (incarnation === this.#incarnation) this.close();
      });
  }
}
